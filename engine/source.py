"""The parameters of the source: the picture that an encoder makes the network see. Knows names and ranges only.

The parameters are there whether or not a source is connected, so that presets keep them.
"""
from engine.parameter import Parameter

CROPS = ("fill", "fit", "stretch")
LOOKS = {"coarse": (0.0, "of 4 and 8 px"), "middle": (1.0, "of 16 and 32 px"), "fine": (1.0, "of 64 px and above")}

INTO = ("features", "factors", "all", "w", "both")
FEATURES: tuple[str, ...] = ("features", "all", "both")                  # what plays feature maps,
FACTORS: tuple[str, ...] = ("factors", "all")                            # factors,
LOOK: tuple[str, ...] = ("w", "both")                                    # and w

PARAMETERS = {
    "/source/into": Parameter("features", choices=INTO,
                              about="what the source plays: feature maps, by an encoder; the factors, by a reader of faces; all = these two; "
                                    "w = the walk itself is led to what the source shows; both = w and feature maps"),
    "/source/expression": Parameter(1.3, 0.0, 3.0, about="how much stronger the factors are than the face that is read; 1 = as it is"),
    "/source/mix": Parameter(0.0, about="whose feature maps the picture is made of: 0 = the network's own, 1 = those encoded from the source"),
    "/source/cells": Parameter(0.0, about="how far what was encoded is brought back to what the network knows: 0 = not at all; 0.5 = each place is made of "
                                          "the nearest ones of the network's own pictures; 1 = and of one of them, where that does about as well"),
    "/source/vivid": Parameter(0.0, about="how far each of the feature maps, before and after that, gets the mean and spread that it has in the network's own "
                                          "pictures: more line and colour"),
    "/source/rate": Parameter(15.0, 0.5, 60.0, curve="log", unit="pictures/s",
                              about="how many pictures of the source are encoded; feature maps glide from one to the next"),
    "/source/smoothing": Parameter(0.0, 0.0, 10.0, curve="square", unit="s",
                                   about="how long the feature maps take to what was encoded last; 0 = until the next"),
    "/source/freeze": Parameter(0.0, step=1, about="1 holds what was encoded last, whatever the source shows"),
    "/source/mirror": Parameter(0.0, step=1, about="1 = left and right of the source change places"),
    "/source/gain": Parameter(1.0, 0.0, 4.0, curve="square", about="times the light of the source"),
    "/source/crop": Parameter("fill", choices=CROPS, about="fill cuts off what is too wide or too high, fit puts black beside it, stretch distorts it"),
    "/source/zoom": Parameter(1.0, 1.0, 8.0, curve="log", about="how much larger the source is seen"),
    "/source/x": Parameter(0.0, -1.0, 1.0, about="where the source is looked at: -1 = its left edge, 1 = its right one"),
    "/source/y": Parameter(0.0, -1.0, 1.0, about="the same: -1 = its upper edge, 1 = its lower one"),
    **{f"/source/style/{group}": Parameter(default, about=f"whose look the layers {what} have: 0 = the average, 1 = the walk's")
       for group, (default, what) in LOOKS.items()},
    "/source/fade": Parameter(2.0, 0.0, 60.0, curve="square", unit="s", about="a lost source is left for the walk over so many seconds, and come back to"),
    "/source/signal": Parameter(1.0, step=1, about="1 while pictures arrive; the show turns it"),
    "/source/picture": Parameter(0, 0, 2 ** 31 - 1, step=1, about="the number of the picture that is seen; the show turns it, and takes find it again"),
}
