from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import unless


@transform(amount=Parameter(1.0, 0.0, 1.0, about="how far they have gone to each other's place"),
           fit=Parameter(0.5, 0.0, 1.0, about="1 = each is as large as the other was, 0 = as it was itself"),
           moves=True, neutral={"amount": 0.0})
def swap(x, amount, fit, *, place=None, target=None):
    """Let two parts change places."""
    if place is None or target is None:
        return x
    there = (target.centre.mean(1, keepdim=True) - place.centre.mean(1, keepdim=True)) * amount
    ratio = (target.size.mean(1, keepdim=True) / place.size.mean(1, keepdim=True))[..., None, None] ** (fit * amount)

    def exchange():
        emptied = target.paint_over(place.paint_over(x, amount), amount)
        first = place.paste(emptied, [(there[..., 0, None, None], there[..., 1, None, None])], [ratio], source=x)
        return target.paste(first, [(-there[..., 0, None, None], -there[..., 1, None, None])], [1 / ratio], source=x)

    return unless(amount == 0, x, exchange)
