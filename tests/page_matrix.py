"""Who may look at what and who may send which form, typed by hand from the contract: one line an address, one column a reader.

`.` the page or what the form does · `>` the way to sign in · `^` on to another page · `x` not yours (403) · `-` not
there (404) · `!` nobody is signed in (401, where a file is fetched). An address of tests/page_list.py without a line fails.
"""

from __future__ import annotations

from collections.abc import Iterator

WHO = (
    "", "inspector", "officer", "chief", "director", "leader", "auditor", "school", "other_school", "bureau",
    "next_officer", "city_chief", "admin",
)  # fmt: skip
"""The readers of the columns; the first is nobody."""

LOOKING = """
                                                      g i o c d l a s o b n c a
                                                      s n f h i e u c t u x t d
                                                      t s f f r d d h h r t y m
    /sign-in                                          . ^ ^ ^ ^ ^ ^ ^ ^ ^ ^ ^ ^
    /report                                           . . . . . . . . . . . . .
    /report/received                                  ^ ^ ^ ^ ^ ^ ^ ^ ^ ^ ^ ^ ^
    /report/state                                     . . . . . . . . . . . . .
    /report/{receipt}                                 . . . . . . . . . . . . .
    /results                                          . . . . . . . . . . . . .
    /results/{result}                                 . . . . . . . . . . . . .
    /robots.txt                                       . . . . . . . . . . . . .
    /l/{link}                                         . . . . . . . . . . . . .
    /language/en                                      ^ ^ ^ ^ ^ ^ ^ ^ ^ ^ ^ ^ ^
    /                                                 > . . . . . . . . . . . .
    /inbox                                            > . . . . . . . . . . . .
    /clock                                            > . . . . . . . . . . . .
    /workflow                                         > . . . . . . . . . . . .
    /units?unit=小学                                    > . . . . . . . . . . . .
    /webhooks                                         > . . . . . . . . . . . .
    /webhooks/{hook}                                  > - . - - - - - - - - - -
    /profile                                          > . . . . . . . . . . . .
    /profile/password                                 > . . . . . . . . . . . .
    /profile/substitutes                              > . . . . . . . . . . . .
    /profile/notifications                            > . . . . . . . . . . . .
    /profile/calendar                                 > . . . . . . . . . . . .
    /profile/access                                   > . . . . . . . . . . . .
    /profile/recusals                                 > . . . . . x x x x . . x
    /recusals/{id_inspector2}                         > x x . . x x - - - - . .
    /findings                                         > . . . . . . . . . . . .
    /findings/new                                     > . . x x x x x x x . x x
    /findings/new?tip_off={tip_off}                   > x . x x x x x x x - x x
    /findings/take-over                               > x . . x x x x x x . . x
    /findings/{served}                                > . . . . . . . - . - . -
    /findings/{draft}                                 > . . . . . . - - - - . -
    /findings/{served}/actions/comment                > . . . . . x . - . - . -
    /findings/{served}/actions/attach                 > . . . . . x . - . - . -
    /findings/{served}/actions/notice_interview       > x x . . x x x - x - x -
    /findings/{draft}/actions/amend                   > . . x x x x - - - - x -
    /findings/{served}/clocks/{clock}                 > . . . . . . . - . - . -
    /findings/{served}/clocks/{inner_clock}           > . . . . . . . - . - . -
    /findings/bulk?finding={served}                   > . . . . . . . . . . . .
    /findings/bulk/comment?finding={served}           > . . . . . x . - . - . -
    /papers/{paper}                                   > . . . . . . . - . - . -
    /papers/{inner_paper}                             > . . . . . . - - - - . -
    /attachments/{file}                               > . . . . . . . - - - . -
    /attachments/{inner_file}                         > . . . . . . - - - - . -
    /api/v1/attachments/{file}                        ! . . . . . . . - - - . -
    /api/v1/attachments/{inner_file}                  ! . . . . . . - - - - . -
    /board                                            > x . . . . . x x x . . x
    /board?region=930108                              > x - - - - - x x x . . x
    /board/months/{month}                             > x . . . . . x x x . . x
    /tip-offs                                         > x . . x x x x x x . . x
    /tip-offs/{tip_off}                               > x . . x x x x x x - - x
    /audit                                            > x x x . x . x x x x x .
    /audit/findings                                   ^ ^ ^ ^ ^ ^ ^ ^ ^ ^ ^ ^ ^
    /audit/findings?number={served}                   ^ ^ ^ ^ ^ ^ ^ ^ ^ ^ ^ ^ ^
    /audit/findings/{served}                          > x x x . x . x x x x x -
    /supervisions                                     > . . . . . . x x x . . .
    /supervisions/new                                 > x . . . x x x x x . . x
    /supervisions/{supervision}                       > . . . . . . - - - - . .
    /supervisions/{supervision}/edit                  > x . . . x x - - - - x x
    /supervisions/{supervision}/report                > x . . . x x - - - - x x
    /admin                                            > x x x x x x x x x x x .
    /admin/channels                                   > x x x x x x x x x x x .
    /admin/deliveries                                 > x x x x x . x x x x x .
    /admin/deliveries/{letter}                        > x x x x x . x x x x x .
    /admin/gaps                                       > x . . . x . x x x . . .
    /admin/find/units?unit=小学                         > x x x x x x x x x x x .
    /admin/find/regions?region=县                      > x x x x x x x x x x x .
    /admin/find/departments?department=局              > x x x x x x x x x x x .
    /admin/regions                                    > x x x x x x x x x x x .
    /admin/regions/new                                > x x x x x x x x x x x .
    /admin/regions/{region}                           > x x x x x x x x x x x .
    /admin/offices                                    > x x x x x x x x x x x .
    /admin/offices/new                                > x x x x x x x x x x x .
    /admin/offices/{office}                           > x x x x x x x x x x x .
    /admin/units                                      > x x x x x x x x x x x .
    /admin/units/new                                  > x x x x x x x x x x x .
    /admin/units/{unit}                               > x x x x x x x x x x x .
    /admin/people                                     > x x x x x x x x x x x .
    /admin/people/new                                 > x x x x x x x x x x x .
    /admin/people/{id_officer}                        > x x x x x x x x x x x .
    /admin/people/{id_officer}/posts/new              > x x x x x x x x x x x .
    /admin/people/{id_inspector2}/substitutes         > x x x x x x x x x x x .
    /admin/people/{id_chief}/leaving                  > x x x x x x x x x x x .
    /admin/tokens                                     > x x x x x x x x x x x .
    /admin/tokens?person={id_officer}                 > x x x x x x x x x x x .
    /admin/rules                                      > x x x x x x x x x x x .
    /admin/calendar?year=2028                         > x x x x x x x x x x x .
    /admin/calendar/load                              > x x x x x x x x x x x .
"""

SENDING = """
                                                      g i o c d l a s o b n c a
                                                      s n f h i e u c t u x t d
                                                      t s f f r d d h h r t y m
    /sign-in                                          . . . . . . . . . . . . .
    /report                                           . . . . . . . . . . . . .
    /report/state                                     . . . . . . . . . . . . .
    /l/{link}                                         . . . . . . . . . . . . .
    /inbox                                            > - - - - . - - - - - - -
    /findings/new                                     > . . x x x x x x x . x x
    /findings/take-over                               > x . . x x x x x x . . x
    /findings/{served}/seen                           > . . . . . . . - . - . -
    /findings/{served}/actions/comment                > . . . . . x . - . - . -
    /findings/bulk/comment                            > . . . . . x . - . - . -
    /findings/views                                   > . . . . . . . . . . . .
    /findings/views/{view}                            > - . - - - - - - - - - -
    /findings/columns                                 > . . . . . . . . . . . .
    /tip-offs/{tip_off}                               > x . . x x x x x x - - x
    /tip-offs/{tip_off}/identity                      > x . . x x x x x x - - x
    /supervisions/new                                 > x . . . x x x x x . . x
    /supervisions/{supervision}/edit                  > x . . . x x - - - - x x
    /supervisions/{supervision}/report                > x . . . x x - - - - x x
    /supervisions/{supervision}/active                > x . . . x x - - - - x x
    /audit/verify                                     > x x x x x . x x x x x .
    /profile/recusals                                 > . . . . . x x x x . . x
    /recusals/{id_inspector2}                         > x x . . x x - - - - . .
    /recusals/{id_inspector2}/lift                    > x x . . x x - - - - . .
    /profile/language                                 > . . . . . . . . . . . .
    /profile/substitutes                              > . . . . . . . . . . . .
    /profile/notifications                            > . . . . . . . . . . . .
    /profile/access                                   > . . . . . . . . . . . .
    /profile/calendar                                 > . . . . . . . . . . . .
    /profile/access/tokens/{token}/revoke             > - . - - - - - - - - - -
    /profile/access/sessions/end                      > . . . . . . . . . . . .
    /profile/password                                 > . . . . . . . . . . . .
    /webhooks                                         > . . . . . . . . . . . .
    /webhooks/{hook}                                  > - . - - - - - - - - - -
    /webhooks/{hook}/deliveries/{hook_letter}/replay  > - . - - - - - - - - - -
    /admin/channels/desk/test                         > x x x x x x x x x x x .
    /admin/deliveries/replay                          > x x x x x x x x x x x .
    /admin/deliveries/{letter}/replay                 > x x x x x x x x x x x .
    /admin/regions/new                                > x x x x x x x x x x x .
    /admin/regions/{region}                           > x x x x x x x x x x x .
    /admin/regions/930106055/active                   > x x x x x x x x x x x .
    /admin/offices/new                                > x x x x x x x x x x x .
    /admin/offices/{office}                           > x x x x x x x x x x x .
    /admin/offices/{spare_office}/active              > x x x x x x x x x x x .
    /admin/units/new                                  > x x x x x x x x x x x .
    /admin/units/{unit}                               > x x x x x x x x x x x .
    /admin/units/next_school/active                   > x x x x x x x x x x x .
    /admin/people/new                                 > x x x x x x x x x x x .
    /admin/people/{id_inspector2}/details             > x x x x x x x x x x x .
    /admin/people/{id_inspector2}/password            > x x x x x x x x x x x .
    /admin/people/{id_inspector2}/posts/new           > x x x x x x x x x x x .
    /admin/people/{id_inspector2}/substitutes         > x x x x x x x x x x x .
    /admin/people/{id_inspector2}/substitutes/end     > x x x x x x x x x x x .
    /admin/people/{id_inspector2}/posts/end           > x x x x x x x x x x x .
    /admin/people/{id_inspector2}/active              > x x x x x x x x x x x .
    /admin/tokens                                     > x x x x x x x x x x x .
    /admin/tokens/{own_token}/revoke                  > x x x x x x x x x x x .
    /admin/calendar/load                              > x x x x x x x x x x x .
    /admin/calendar/confirm                           > x x x x x x x x x x x .
    /clock                                            > . . . . . . . . . . . .
    /sign-out                                         . . . . . . . . . . . . .
"""


def cells(table: str) -> dict[str, dict[str, str]]:
    """What each reader gets, by address."""
    return dict(_lines(table))


def _lines(table: str) -> Iterator[tuple[str, dict[str, str]]]:
    for line in table.strip("\n").splitlines()[3:]:
        address, *marks = line.split()
        yield address, dict(zip(WHO, marks, strict=True))
