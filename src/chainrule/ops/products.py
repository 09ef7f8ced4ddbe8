"""The one contraction that every matrix product is written in."""

from chainrule.ops import pairs
from chainrule.ops.kinds.contraction import Contraction
from chainrule.ops.notation import PRODUCT, SIGN, infix
from chainrule.ops.operation import example

einsum = Contraction(
    "einsum",
    parts=pairs.contract,
    latex=r"{0} \, {1}",
    examples=(
        example((3, 4), (4, 2), subscripts="ij,jk->ik"),
        example((4,), (4,), subscripts="i,i->"),
        example((3,), (2,), subscripts="i,j->ij"),
        example((2, 3, 4), (2, 4, 5), subscripts="bij,bjk->bik"),
        example((3, 4), (2, 4), subscripts="ij,kj->ik"),
        example((3, 4), (3, 2), subscripts="ij,ik->jk"),
        example((3, 4), (4,), subscripts="ij,j->i"),
        example((3, 4), (3,), subscripts="ij,i->j"),
        example((4,), (4, 3), subscripts="i,ij->j"),
        example((4,), (3, 4), subscripts="i,ji->j"),
        example((3, 4), (4, 2), subscripts="ij,jk->ki"),
        example((2, 3, 4), (4, 3, 5), subscripts="abc,cbd->da"),
        example((2, 3), (2, 3), subscripts="ij,ij->ij"),
        example((), (2, 3), subscripts=",ij->ij"),
    ),
    notation=infix("", " @ ", PRODUCT, (PRODUCT, SIGN), symbol="@", rule="product rule"),
)
