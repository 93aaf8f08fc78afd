"""What is said of the release gates, in every language?"""

from __future__ import annotations

from bespoke.pages.texts import Text

GATE_TEXTS: dict[str, Text] = {
    "gates": Text("Release gates", "公開の条件"),
    "gates.passed": Text("May be released: all gates passed", "公開できます(すべての条件を満たしました)"),
    "gates.failed": Text(
        "Not to be released: {failed} of {count} gates failed", "公開できません({count} 条件のうち {failed} 件が未達)"
    ),
    "gates.none": Text("No gate is asked", "公開の条件は設定されていません"),
    "gates_about": Text(
        "What somebody asked for at balance {balance}, on the pictures that were measured; not a proof for every "
        "picture to come.",
        "あらかじめ定めた条件に、バランス {balance} で測った画像を照らした結果です。"
        "今後のすべての画像を保証するものではありません。",
    ),
    "gate.realism": Text(
        "Realism: pictures that lie where real ones do, {measured} of what real pictures reach (least: {limit}).",
        "写実性: 実物と同じ範囲にある画像の割合は、実物どうしの {measured} です(下限 {limit})。",
    ),
    "gate.distance": Text(
        "Distance: {measured} times as far from real pictures as those are from each other (most: {limit} times).",
        "距離: 実物からの距離は、実物どうしの {measured} 倍です(上限 {limit} 倍)。",
    ),
    "gate.variety": Text(
        "Variety: real pictures that have a generated one near them, {measured} of what real pictures reach "
        "(least: {limit}).",
        "多様性: 似た生成画像がある実物の割合は、実物どうしの {measured} です(下限 {limit})。",
    ),
    "gate.faithfulness": Text(
        "Faithfulness: captions found again from the pictures, {measured} of what real pictures reach "
        "(least: {limit}).",
        "文章への忠実さ: 画像から説明文を選べた割合は、実物の {measured} です(下限 {limit})。",
    ),
    "gate.copies": Text(
        "Copies: suspected copies of training pictures, {measured} of the pictures (most: {limit}).",
        "複製: 学習用画像の複製が疑われる画像は {measured} です(上限 {limit})。",
    ),
    "gate.copies_unknown": Text(
        "Copies: cannot be told, hardly any picture was kept out of training.",
        "複製: 学習に使わなかった画像が足りないため、判定できません。",
    ),
    "gate.realism_unknown": Text(
        "Realism: cannot be told, no judge sees real pictures get worse as they are spoiled.",
        "写実性: 実物の劣化を感じ取れる判定役がないため、判定できません。",
    ),
    "gate.distance_unknown": Text(
        "Distance: cannot be told, no judge sees real pictures get worse as they are spoiled.",
        "距離: 実物の劣化を感じ取れる判定役がないため、判定できません。",
    ),
    "gate.variety_unknown": Text(
        "Variety: cannot be told, no judge sees real pictures get worse as they are spoiled.",
        "多様性: 実物の劣化を感じ取れる判定役がないため、判定できません。",
    ),
    "gate.faithfulness_unknown": Text(
        "Faithfulness: cannot be told, no judge reads the captions of real pictures well enough.",
        "文章への忠実さ: 実物の説明文を十分に読み取れる判定役がないため、判定できません。",
    ),
    "advice.realism": Text(
        "Train longer (bespoke train --resume with a larger budget), or add pictures.",
        "学習を延ばすか(予算を増やして bespoke train --resume)、画像を増やしてください。",
    ),
    "advice.distance": Text(
        "Look at what differs in the pictures beside real ones; train longer, or add pictures.",
        "実物と並べた画像で違いを確かめ、学習を延ばすか、画像を増やしてください。",
    ),
    "advice.variety": Text(
        "Add pictures of the kinds that are missing, or train longer.",
        "欠けている種類の画像を増やすか、学習を延ばしてください。",
    ),
    "advice.faithfulness": Text(
        "Draw at balance 0.25 to 0.5, where texts are usually shown best, mend captions (bespoke check), or "
        "train longer.",
        "文章が最もよく表れやすいバランス 0.25 から 0.5 で使うか、説明文を直すか(bespoke check)、"
        "学習を延ばしてください。",
    ),
    "advice.exceeds": Text(
        "That is more than real pictures reach, so the judge is being pleased and nothing is proved; see Alarms, and "
        "train longer.",
        "実物を上回る値です。判定役に合わせているだけの恐れがあり、証明になりません。「警報」を確かめ、学習を延ばしてください。",
    ),
    "advice.copies": Text(
        "Look at the closest pairs; add pictures, raise training.augment, or train for less time.",
        "最も近い組を目で確かめ、画像を増やすか、training.augment を上げるか、学習を短くしてください。",
    ),
    "advice.unknown": Text(
        "Add pictures or better captions for the judges to learn from, or give the gate up: --set gates.{gate}=null.",
        "判定役が学べるよう画像や説明文を補うか、この条件を外してください(--set gates.{gate}=null)。",
    ),
}
