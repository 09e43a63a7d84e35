from engine.bends import transform
from engine.parameter import Parameter
from engine.region import make_middle
from engine.sampling import unless


@transform(amount=Parameter(1.0, 0.0, 1.0, about="how far it has gone to the second part's place"),
           size=Parameter(1.0, 0.2, 3.0, curve="log", about="how large it is there"),
           leave=Parameter(1.0, 0.0, 1.0, about="1 = nothing is left where it was, 0 = it stays there as well"),
           moves=True, neutral={"amount": 0.0})
def move_to(x, amount, size, leave, *, place=None, target=None):
    """Bring a part to another part's place: a mouth on the crown. Without a second part it goes to the middle."""
    if place is None:
        return x
    to = (make_middle(x.device) if target is None else target).centre.mean(1, keepdim=True)
    way = (to - place.centre.mean(1, keepdim=True)) * amount                    # [N, 1, 2]
    carried = (way[..., 0, None, None], way[..., 1, None, None])
    near = 1 + (size - 1) * amount
    return unless(amount == 0, x, lambda: place.paste(place.paint_over(x, leave * amount), [carried], [near], source=x))
