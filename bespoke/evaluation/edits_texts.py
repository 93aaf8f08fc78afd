"""What does the report on edits say? Every sentence in every language, in one table."""

from __future__ import annotations

from bespoke.evaluation.split_texts import SPLIT_TEXTS
from bespoke.pages.texts import Text

EDIT_TEXTS: dict[str, Text] = {
    "title": Text("Evaluation of edits", "画像編集の評価"),
    "about": Text(
        "One colour, number or pattern word of a caption is swapped, and the picture is edited from the old text to "
        "the new one: {n} pictures for {split}. Success is worth nothing without preservation, and vice versa.",
        "説明文の色・数・模様の語を一つ替え、元の文から新しい文へ画像を編集します({split}の画像 {n} 枚)。"
        "成功と保存は、どちらか一方だけでは意味がありません。",
    ),
    "curve": Text("Success against preservation", "成功と保存"),
    "curve_note": Text(
        "A dot a strength, from 0.3 to 1; red: the picture as it was, drawn anew, and inverted ({few} pictures). "
        "Up and to the left is better.",
        "点は強さ(0.3 から 1)ごとの結果、赤は元の画像・新しい生成・逆推定({few} 枚)です。左上ほど良い結果です。",
    ),
    "x": Text("Background error, % of the range", "背景の誤差(範囲の %)"),
    "y": Text("Judges prefer the new text, %", "判定役が新しい文を選んだ割合(%)"),
    "numbers": Text("All numbers", "すべての数値"),
    "numbers_note": Text(
        "Mean of the judges, with the 95% interval of the first. The background is taken to be the outer eighth of a "
        "picture: catalogues have no masks. Compare only with reports of the same catalogue, split, seed and judges.",
        "判定役の平均と、一つ目の 95% 区間です。マスクがないため、画像の外側 8 分の 1 を背景とみなします。"
        "比べられるのは、カタログ・分割・シード・判定役が同じレポートだけです。",
    ),
    "exact": Text("Exact answers on fresh drawings", "正解が分かる図での結果"),
    "exact_note": Text(
        "{n} drawings of the built-in catalogue that nobody trained on, for each attribute. Patterns are told "
        "wherever on a product they begin. The background error is that from the true answer, which is the first row.",
        "学習に使っていない組み込みカタログの図、属性ごとに {n} 枚です。模様は商品のどこから始まっていても判定します。"
        "背景の誤差は正解との差で、最初の行が正解そのものです。",
    ),
    "sheet": Text("Edits that nobody selected", "選別していない編集結果"),
    "sheet_note": Text(
        "The first of a random order, at strength 0.7: before, after, and where it changed.",
        "無作為な順の先頭です(強さ 0.7)。左から、元の画像、編集後、変わった場所です。",
    ),
    "judges_fail": Text(
        "No judge reads the captions of real pictures well enough: successes below say little.",
        "実物の説明文を十分に読み取れる判定役がありません。成功の割合は参考にとどめてください。",
    ),
    "way.identity": Text("as it was", "元のまま"),
    "way.anew": Text("drawn anew", "新しい生成"),
    "way.inversion": Text("inverted, text swapped", "逆推定と文の入れ替え"),
    "way.edit": Text("edited, strength {strength}", "編集、強さ {strength}"),
    "way.target": Text("true answer", "正解"),
    "column.way": Text("Way", "方法"),
    "column.prefers_new": Text("Prefers the new text \u2191", "新しい文を選択 \u2191"),
    "column.retrieval": Text("R@1 \u2191", "R@1 \u2191"),
    "column.background": Text("Background error \u2193", "背景の誤差 \u2193"),
    "column.change": Text("Change", "変化"),
    "column.ssim": Text("SSIM \u2191", "SSIM \u2191"),
    "column.untouched": Text("Pixels bit-equal", "完全に同じ画素"),
    "column.attribute": Text("Attribute", "属性"),
    "column.right": Text("As the text says \u2191", "文のとおり \u2191"),
    "column.kept": Text("All others kept \u2191", "他はすべて元のまま \u2191"),
    "column.to_target": Text("Distance from the answer \u2193", "正解との差 \u2193"),
    "color": Text("colour", "色"),
    "pattern": Text("pattern", "模様"),
    "background": Text("background", "背景"),
    "report": Text("Report: {path}", "レポート: {path}"),
    **SPLIT_TEXTS,
}
