"""How far to trust a prediction: 32 networks in one call, beside one network asked again and again with dropout.

There are no data between −1 and 1 and none beyond 3. Where data are, the members of an ensemble learn the same; where there are
none, each goes on in its own way, and how far they are apart says that nothing is known there.
"""

import numpy as np

import chainrule as cr

random = np.random.default_rng(0)
x = np.concatenate([random.uniform(-3, -1, 80), random.uniform(1, 3, 80)])
X, y = x[:, None], np.sin(2 * x) + random.normal(0, 0.05, 160)
places = {"among the data": 2.0, "in the gap": 0.0, "far beyond": 6.0}
asked = np.array(list(places.values()))[:, None]

network = cr.Network([cr.Dense(32, "tanh"), cr.Dense(32, "tanh"), cr.Dense(1)])
many = cr.fit_many(network, X, y, seeds=range(32), optimizer=cr.Adam(0.01), epochs=200, progress=False)
ensemble = many.ensemble()

dropped = cr.Network([cr.Dense(64, "relu"), cr.Dropout(0.1), cr.Dense(64, "relu"), cr.Dropout(0.1), cr.Dense(1)])
dropped.fit(X, y, optimizer=cr.Adam(0.01), epochs=400, progress=False)

for name, told in {
    "an ensemble of 32": ensemble.uncertainty(asked),
    "100 passes with dropout": dropped.uncertainty(asked, samples=100),
}.items():
    print(name)
    for place, mean, deviation in zip(places, told.mean, told.deviation, strict=True):
        print(f"    {place:<15} {mean:6.2f} ± {deviation:.2f}")

everywhere = np.linspace(-5, 5, 401)[:, None]
ensemble.uncertainty(everywhere).plot("uncertainty.png", x=everywhere[:, 0])
print("the mean and two standard deviations about it: uncertainty.png")
