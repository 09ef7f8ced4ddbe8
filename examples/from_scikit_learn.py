"""From scikit-learn's multilayer perceptrons to chainrule's: one import changes, and what becomes possible then.

Needs the extra `sklearn`: pip install "chainrule[sklearn]".
"""

import time
import warnings

import numpy as np
import sklearn.neural_network
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import chainrule as cr
import chainrule.sklearn
from chainrule.sklearn import NetworkClassifier

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X / 16, y, random_state=0)

# 1. The same parameters, the same seed, the same numbers.

print("1. One import")
models = {}
for module in (sklearn.neural_network, chainrule.sklearn):
    started = time.perf_counter()
    model = module.MLPClassifier((64,), random_state=0, max_iter=500).fit(X, y)
    taken = time.perf_counter() - started
    print(
        f"   {module.__name__:24} {model.n_iter_} epochs to loss {model.loss_:.6f}, accuracy {model.score(X_test, y_test):.4f}"
    )
    models[module.__name__] = model
gap = np.abs(np.subtract(*(np.array(m.loss_curve_) for m in models.values()))).max()
print(
    f"   largest difference between the two loss curves: {gap:.0e}; the second took {taken:.2f} s, compilation included"
)

# 2. Pipelines, searches, cross-validation: as ever.

search = GridSearchCV(
    make_pipeline(MinMaxScaler(), chainrule.sklearn.MLPClassifier((32,), learning_rate_init=0.01, random_state=0)),
    {"mlpclassifier__alpha": [1e-4, 1e-1], "mlpclassifier__activation": ["relu", "tanh"]},
    cv=3,
).fit(X, y)
print(f"\n2. A search over a pipeline: {search.best_params_}, {search.best_score_:.3f}")

# 3. What scikit-learn's do not have.

model = chainrule.sklearn.MLPClassifier(
    (64, 32),
    activation=["gelu", "tanh"],  # one for each layer
    dropout=[0.2, 0.0],
    class_weight="balanced",
    optimizer=cr.AdamW(2e-3, weight_decay=0.01),
    max_iter=40,
    callbacks=lambda end: end.metrics["loss"] < 0.05 and "good enough",  # called after every epoch
    random_state=0,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # 40 epochs may be too few, as scikit-learn would say
    model.fit(X, y, validation_data=(X_test, y_test))
print("\n3. Own optimizer, dropout, an activation for each layer, validation data")
print("   epoch   loss   on validation data   accuracy there")
for epoch in range(4, model.n_iter_, 10):
    figures = model.loss_curve_[epoch], model.validation_loss_curve_[epoch], model.validation_scores_[epoch]
    print("   {:5}  {:.3f}   {:18.3f}   {:14.3f}".format(epoch + 1, *figures))

# 4. Looking into it: which pixels matter for this digit, and what the hidden layers make of it.

gradient = model.input_gradient(X_test[:1], y_test[:1])[0].reshape(8, 8)
strongest = np.unravel_index(np.abs(gradient).argmax(), (8, 8))
first, second = model.hidden_activations(X_test[:1])
print(f"\n4. The loss of a {y_test[0]} depends most on the pixel in row {strongest[0]}, column {strongest[1]}")
print(f"   {np.sum(first > 0.1)} of {first.size} neurons of the first hidden layer are active")

# 5. Any network as an estimator, with settings that can be searched.

pattern = cr.Network([cr.Dense(32, "silu", name="hidden"), cr.Dropout(0.1), cr.Dense(10)])
search = GridSearchCV(
    NetworkClassifier(pattern, optimizer="adam", max_iter=30, random_state=0),
    {"network__hidden__units": [16, 64], "optimizer__learning_rate": [1e-3, 1e-2]},
    cv=3,
).fit(X, y)
print(f"\n5. A network of one's own: {search.best_params_}, {search.score(X_test, y_test):.3f} on test data")
