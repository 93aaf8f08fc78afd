"""What does the report on the balance say? Every sentence in every language, in one table."""

from __future__ import annotations

from bespoke.experiments.texts import TEXTS as OF_EXPERIMENTS
from bespoke.pages.texts import Text

TEXTS: dict[str, Text] = {
    "front": Text("The balance, measured", "バランスの測定"),
    "asked": Text(
        "{model}: {n} captions of {catalogue} ({split}), the same with the same noise for every line. "
        "Intervals are 95%, from drawing {over} anew.",
        "{model}:{catalogue}({split})の説明文 {n} 件。どの行も同じ説明文と同じノイズです。"
        "区間は{over}を引き直した 95% 区間です。",
    ),
    "result.accepted": Text("The balance passes its test", "バランスは試験に合格しました"),
    "result.refused": Text("The balance does not pass its test", "バランスは試験に不合格でした"),
    "result.unknown": Text(
        "Nothing can be said: no judge both sees and reads on this catalogue",
        "判断できません。このカタログでは、見ることと読むことの両方に合格した判定役がいません",
    ),
    "controls.realism": Text(
        "It trades realism for faithfulness: the higher, the truer to the text, and the further from real pictures.",
        "実物らしさと説明文への忠実さの配分です。上げるほど説明文に忠実になり、実物からは離れます。",
    ),
    "controls.variety": Text(
        "It trades variety for faithfulness: the higher, the truer to the text, and the more alike the pictures. "
        "Realism does not pay.",
        "多様性と説明文への忠実さの配分です。上げるほど説明文に忠実になり、画像は互いに似てきます。実物らしさは下がりません。",
    ),
    "controls.both": Text(
        "It trades realism and variety for faithfulness: the higher, the truer to the text.",
        "実物らしさ・多様性と、説明文への忠実さの配分です。上げるほど説明文に忠実になります。",
    ),
    "controls.free": Text(
        "Faithfulness costs nothing that was measured: there is nothing to trade, the upper end is better.",
        "忠実さを上げても、測った範囲では何も失われません。選ぶべき配分はなく、上端のほうが単に良い結果です。",
    ),
    "controls.nothing": Text("It moves nothing that was measured.", "測った範囲では、何も変わりません。"),
    "controls.wrong": Text(
        "It turns the wrong way: the higher it is, the less often captions are found.",
        "逆向きです。上げるほど説明文を選べる割合が下がります。",
    ),
    "controls.other": Text(
        "It does not move faithfulness from end to end by every judge; what it does move is listed.",
        "両端のあいだで、忠実さの差をすべての判定役が認めたわけではありません。実際に変わるものは下のとおりです。",
    ),
    "check.rises.yes": Text(
        "Faithfulness rises with the balance: rank correlation {rank} (0.9 is asked)",
        "バランスとともに忠実さが上がります:順位相関 {rank}(基準 0.9)",
    ),
    "check.rises.no": Text(
        "Faithfulness does not rise steadily with the balance: rank correlation {rank} (0.9 is asked)",
        "バランスとともに忠実さが着実に上がるとは言えません:順位相関 {rank}(基準 0.9)",
    ),
    "check.apart.yes": Text(
        "The ends are further apart than their intervals: R@1 up to {high} at the lower, from {low} at the upper",
        "両端は区間が重なりません:R@1 は下端で {high} まで、上端で {low} から",
    ),
    "check.apart.no": Text(
        "The intervals of the two ends overlap: R@1 up to {high} at the lower, from {low} at the upper",
        "両端の区間が重なります:R@1 は下端で {high} まで、上端で {low} から",
    ),
    "check.price.yes": Text("Something is paid for it: {metrics}", "その代わりに失われるもの:{metrics}"),
    "check.price.no": Text(
        "Nothing is paid for it: neither distance nor precision, recall or diversity is worse at the upper end",
        "失われるものがありません:距離・適合率・再現率・多様性のどれも上端で悪くなっていません",
    ),
    "check.best_of.yes": Text(
        "It reaches more than the best of {count} drawn at the lower end: {share} of that front's area",
        "下端で {count} 枚から最良を選ぶより広く届きます:面積比 {share}",
    ),
    "check.best_of.no": Text(
        "It is not shown to reach more than the best of {count} drawn at the lower end: {share} of that front's area, "
        "difference {low} \u2026 {high}",
        "下端で {count} 枚から最良を選ぶより広く届くとは言えません:面積比 {share}、差 {low} … {high}",
    ),
    "check.extrapolation.yes": Text(
        "It reaches more than extrapolating the condition at the lower end: {share} of that front's area",
        "下端で条件を外挿するより広く届きます:面積比 {share}",
    ),
    "check.extrapolation.no": Text(
        "It is not shown to reach more than extrapolating the condition at the lower end: {share} of that front's "
        "area, difference {low} \u2026 {high}",
        "下端で条件を外挿するより広く届くとは言えません:面積比 {share}、差 {low} … {high}",
    ),
    "check.model.yes": Text(
        "It reaches {share} of the front of the models trained apart (0.95 is asked)",
        "別々に学習したモデルの到達範囲に対する面積比 {share}(基準 0.95)",
    ),
    "check.model.no": Text(
        "It reaches only {share} of the front of the models trained apart (0.95 is asked)",
        "別々に学習したモデルの到達範囲に届きません:面積比 {share}(基準 0.95)",
    ),
    "check.middle.yes": Text(
        "At b = {balance} its distance is {times} times that of the model trained there (1.05 at most)",
        "b = {balance} での距離は、そこで学習したモデルの {times} 倍(1.05 まで)",
    ),
    "check.middle.no": Text(
        "At b = {balance} its distance is {times} times that of the model trained there (1.05 at most is asked)",
        "b = {balance} での距離が、そこで学習したモデルの {times} 倍あります(基準 1.05 まで)",
    ),
    "not_asked.best_of": Text("Not asked: best of N (--best-of 1)", "未確認:N 枚からの選択(--best-of 1)"),
    "not_asked.model": Text(
        "Not asked: models trained at one balance each (--against), so that part of the test is open",
        "未確認:一つのバランスだけで学習したモデル(--against)。試験のこの部分は未判定です",
    ),
    "not_asked.middle": Text(
        "Not asked: a model trained at the middle balance (--against)",
        "未確認:中央のバランスで学習したモデル(--against)",
    ),
    "one_run": Text(
        "This is one training. Another seed may give another answer: run this on three before claiming anything.",
        "学習一回の結果です。シードが変われば結果も変わりえます。主張するには三回の学習で確かめてください。",
    ),
    "few": Text(
        "{n} captions: intervals are wide, and a test that fails may fail for that alone.",
        "説明文 {n} 件では区間が広く、それだけで不合格になることもあります。",
    ),
    "exceeds": Text(
        "Judge {judge} finds the captions of these more often than those of real pictures: {ways}. No progress: "
        "such pictures please judges.",
        "判定役 {judge} は、次の画像の説明文を実物の画像より高い割合で選びます:{ways}。"
        "進歩ではなく、判定役に合わせた画像です。",
    ),
    "unreliable": Text(
        "Judge {judge} failed its examination in part and has no vote.",
        "判定役 {judge} は試験に一部不合格のため、判定に加わりません。",
    ),
    "changes": Text("From end to end", "両端の差"),
    "changes_note": Text(
        "From b = {first} to b = {last}, where all judges agree; differences pair by pair, with intervals that leave "
        "out zero. Among so many, one may come by chance.",
        "b = {first} から b = {last} へ。組ごとの差の区間が 0 を含まず、全判定役が一致したものです。"
        "多数を調べているため、偶然による差も含まれえます。",
    ),
    "changes.better": Text("Better: {metrics}", "良くなる:{metrics}"),
    "changes.worse": Text("Worse: {metrics}", "悪くなる:{metrics}"),
    "changes.more": Text("More: {metrics}", "増える:{metrics}"),
    "changes.less": Text("Less: {metrics}", "減る:{metrics}"),
    "changes.none": Text("No difference shown: {metrics}", "差は認められない:{metrics}"),
    "changes.peak": Text(
        "Captions are found most often at b = {balance}", "説明文を選べた割合が最も高いのは b = {balance}"
    ),
    "plots": Text("Where each line lies", "各行の位置"),
    "plots_note": Text(
        "The line joins the balances, the others are rivals; crosses are intervals. Judges that failed have no vote.",
        "線はバランスをつないだもの、点は比較対象、十字は区間です。試験に不合格の判定役は判定に加わりません。",
    ),
    "plot": Text("Judge {judge}: {x} and R@1", "判定役 {judge}:{x} と R@1"),
    "pictures": Text("The same captions and noise", "同じ説明文とノイズの画像"),
    "pictures_note": Text("Nobody selected them. From left to right:", "選別していない画像です。左から順に:"),
    "test": Text("The test", "試験"),
    "test_note": Text(
        "Fixed before anything was measured; docs/evaluation.md says why each is asked. All judges with a vote must "
        "agree.",
        "測定前に決めた基準です。投票権のあるすべての判定役で満たす必要があります(docs/evaluation.md 参照)。",
    ),
    "judged": Text("Judge {judge}", "判定役 {judge}"),
    "column.way": Text("Drawn at", "描き方"),
    "column.num_draws": Text("Draws a picture", "1 枚あたりの描画数"),
    "way.balance": Text("b = {value}", "b = {value}"),
    "way.best_of": Text("best of {value}, b = {lowest}", "{value} 枚から選択、b = {lowest}"),
    "way.extrapolation": Text("condition x {value}, b = {lowest}", "条件 x {value}、b = {lowest}"),
    "way.model": Text("{model}, b = {value}", "{model}、b = {value}"),
    "track.balance": Text("the balance", "バランス"),
    "track.best_of": Text("best of N", "N 枚から選択"),
    "track.extrapolation": Text("condition extrapolated", "条件の外挿"),
    "track.model": Text("other models", "他のモデル"),
    "real_pictures": Text("real pictures", "実物の画像"),
    **{key: text for key, text in OF_EXPERIMENTS.items() if key.startswith(("metric.", "over.", "split."))},
    **{key: OF_EXPERIMENTS[key] for key in ("numbers", "footer")},
}
