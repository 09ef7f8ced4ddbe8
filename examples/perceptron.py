"""A perceptron learns AND and OR, and shows by its own mistakes that no line separates exclusive or."""

import chainrule as cr

X = [[0, 0], [0, 1], [1, 0], [1, 1]]

for name, targets in {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "XOR": [0, 1, 1, 0]}.items():
    perceptron = cr.Perceptron().fit(X, targets)
    w, b = perceptron.weight, perceptron.bias
    print(f"{name:3}  wanted {targets}, says {perceptron.predict(X).tolist()}")
    print(f"     mistakes in each pass: {perceptron.errors}")
    print(f"     {perceptron.summary()}")
    if perceptron.converged:
        print(f"     it is 1 where {w[0]:g}·x₁ {w[1]:+g}·x₂ {b:+g} > 0")
    print()

# One hidden layer is enough for what one neuron cannot do.
network = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], seed=2)
network.fit(X, [0, 1, 1, 0], epochs=300, optimizer=cr.Adam(0.1), progress=False)
print(f"XOR by a 2-2-1 network: {network.predict(X).tolist()}")
