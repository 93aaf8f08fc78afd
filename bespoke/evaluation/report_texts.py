"""What does the report on a model say? Every sentence in every language, in one table."""

from __future__ import annotations

from bespoke.evaluation.gate_texts import GATE_TEXTS
from bespoke.evaluation.paper_texts import PAPER_TEXTS
from bespoke.evaluation.split_texts import SPLIT_TEXTS
from bespoke.pages.texts import Language, Line, Text, fill

TEXTS: dict[str, Text] = {
    "title": Text("Model evaluation", "モデルの評価"),
    # The verdict.
    "verdict.good": Text("Close to real pictures", "実物の画像に近い出来です"),
    "verdict.partly": Text("Usable in part", "一部の用途に使えます"),
    "verdict.poor": Text("Not good yet", "まだ使える水準ではありません"),
    "verdict.unknown": Text("Cannot be judged in full", "判定しきれない点があります"),
    "verdict_means.good": Text(
        "Measured like real pictures of the catalogue, the generated ones come close to them on every point.",
        "カタログの実物画像と同じ測り方で、生成画像はいずれの点でも実物に近い値です。",
    ),
    "verdict_means.partly": Text(
        "No point is far behind real pictures, but not all is well: see those marked with a triangle.",
        "実物に大きく劣る点はありませんが、注意すべき点があります。三角印の項目をご覧ください。",
    ),
    "verdict_means.poor": Text(
        "On at least one point the generated pictures fall far short of real ones.",
        "少なくとも一つの点で、生成画像が実物の画像に遠く及びません。",
    ),
    "verdict_means.unknown": Text(
        "What could be measured is not poor, but the judges cannot answer every question on this catalogue.",
        "測れた点に大きな問題はありませんが、このカタログでは判定役が答えられない点があります。",
    ),
    "about_balance": Text(
        "This is about balance {balance}, the closest to what is used unless one is chosen.",
        "既定値に最も近いバランス {balance} についての判定です。",
    ),
    # Against the last model.
    "against": Text("Against the last model ({name})", "前回のモデル({name})との比較"),
    "against_note": Text(
        "At balance {balance}, the same captions and seeds. Better or worse is said only where the difference is "
        "larger than chance explains (95%), with the two models' numbers taken as independent, which is cautious.",
        "バランス {balance}、同じ説明文と乱数での比較です。偶然では説明しにくい差(95%)がある場合だけ、"
        "改善・悪化と表示します。二つのモデルの値を独立とみなす、慎重な判定です。",
    ),
    "against_nothing": Text(
        "Nothing can be compared: no judge passed its examination for what is asked.",
        "比較できません。比べる尺度について試験に合格した判定役がありません。",
    ),
    "against.better": Text("better", "改善"),
    "against.worse": Text("worse", "悪化"),
    "against.unclear": Text("no clear difference", "はっきりした差なし"),
    # Reasons.
    "reason.realism_good": Text(
        "Realism: {generated} of the pictures lie where real ones do (real pictures: {real}); they are {times} times "
        "as far from real pictures as those are from each other.",
        "写実性: 生成画像の {generated} が実物と同じ範囲にあります(実物どうしでは {real})。実物からの距離は、"
        "実物どうしの {times} 倍です。",
    ),
    "reason.realism_fair": Text(
        "Realism, in part: {generated} of the pictures lie where real ones do (real pictures: {real}); they are "
        "{times} times as far from real pictures as those are from each other.",
        "写実性は十分とは言えません。実物と同じ範囲にある生成画像は {generated} です(実物どうしでは {real})。"
        "実物からの距離は、実物どうしの {times} 倍です。",
    ),
    "reason.realism_poor": Text(
        "Realism is lacking: {generated} of the pictures lie where real ones do (real pictures: {real}); they are "
        "{times} times as far from real pictures as those are from each other.",
        "写実性が足りません。実物と同じ範囲にある生成画像は {generated} です(実物どうしでは {real})。"
        "実物からの距離は、実物どうしの {times} 倍です。",
    ),
    "reason.variety_good": Text(
        "Variety: {generated} of the real pictures have a generated one near them (real pictures: {real}).",
        "多様性: 実物の画像の {generated} に、似た生成画像があります(実物どうしでは {real})。",
    ),
    "reason.variety_fair": Text(
        "Variety: only {generated} of the real pictures have a generated one near them (real pictures: {real}).",
        "多様性: 似た生成画像がある実物の画像は {generated} です(実物どうしでは {real})。",
    ),
    "reason.variety_poor": Text(
        "Variety is lacking: {generated} of the real pictures have a generated one near them (real pictures: {real}).",
        "多様性が足りません。似た生成画像がある実物の画像は {generated} です(実物どうしでは {real})。",
    ),
    "reason.text_good": Text(
        "Faithfulness: of {of} captions the right one is found for {generated} of the pictures "
        "(real pictures: {real}).",
        "文章への忠実さ: {of} 件の説明文から正しいものを選べた生成画像は {generated} です(実物では {real})。",
    ),
    "reason.text_fair": Text(
        "Faithfulness: of {of} captions the right one is found for only {generated} of the pictures "
        "(real pictures: {real}).",
        "文章への忠実さ: {of} 件の説明文から正しいものを選べた生成画像は {generated} にとどまります(実物では {real})。",
    ),
    "reason.text_poor": Text(
        "Faithfulness: pictures hardly follow their texts: of {of} captions the right one is found for {generated} "
        "(real pictures: {real}).",
        "文章への忠実さ: 文章をほとんど反映していません。{of} 件の説明文から正しいものを選べたのは {generated} です"
        "(実物では {real})。",
    ),
    "reason.text_exceeds": Text(
        "Faithfulness: of {of} captions the right one is found for {generated} of the pictures, more than for real "
        "ones ({real}). They show what the judge looks for, such as a colour, and little else; see Alarms.",
        "文章への忠実さ: {of} 件の説明文から正しいものを選べた生成画像は {generated} で、実物({real})を上回ります。"
        "色など、判定役が見るものだけを描いている恐れがあります。「警報」をご覧ください。",
    ),
    "reason.realism_unknown": Text(
        "Realism cannot be judged: no judge sees real pictures get worse as they are spoiled.",
        "写実性は判定できません。実物の画像を劣化させても、それを正しく感じ取る判定役がありません。",
    ),
    "reason.variety_unknown": Text(
        "Variety cannot be judged, for the same reason.", "同じ理由で、多様性も判定できません。"
    ),
    "reason.text_unknown": Text(
        "Faithfulness to the text cannot be claimed: no judge reads the captions of real pictures well enough.",
        "文章への忠実さについては何も主張できません。実物の画像の説明文を十分に読み取れる判定役がありません。",
    ),
    "reason.copies": Text(
        "Suspected copies of training pictures: {share} of the pictures (1% is usual); look at the pairs below.",
        "学習用画像の複製が疑われる画像が {share} あります(通常は 1%)。下の組を目で確かめてください。",
    ),
    "reason.copies_poor": Text(
        "Suspected copies of training pictures: {share} of the pictures (1% is usual). The model repeats what it was "
        "shown.",
        "学習用画像の複製が疑われる画像が {share} あります(通常は 1%)。学習した画像を写しているだけです。",
    ),
    "reason.copies_untold": Text(
        "Whether training pictures are copied cannot be told, as hardly any picture was kept out of training; look at "
        "the closest pairs below.",
        "学習に使わなかった画像が足りないため、学習用画像の複製の有無は判定できません。下の最も近い組を目で確かめてください。",
    ),
    "reason.no_copies": Text(
        "No sign that training pictures are copied; the closest pairs are shown below.",
        "学習用画像を複製している様子はありません。最も近い組を下に示します。",
    ),
    "reason.alarms": Text(
        "Scores better than real pictures: {count}. That is a warning, not a success; see Alarms.",
        "実物の画像を上回る値が {count} 件あります。成功ではなく警告です。「警報」をご覧ください。",
    ),
    "reason.few": Text(
        "Only {count} pictures were compared, so the numbers are rough.",
        "比べた画像が {count} 枚と少ないため、数値は大まかなものです。",
    ),
    # Sections.
    "why": Text("Why", "理由"),
    "at_a_glance": Text("At each balance", "バランスごとの結果"),
    "at_a_glance_note": Text(
        "Mean of the judges that passed what it takes to answer; where none did, of all, and marked. Balance 0 draws "
        "the most varied pictures, 1 the most alike; texts are usually shown best at 0.25 to 0.5.",
        "その問いについて試験に合格した判定役の平均です。合格した判定役がなければ全員の平均とし、印を付けています。"
        "バランス 0 は最も多様で、1 に近いほど互いに似た画像になります。"
        "文章が最もよく表れるのは、多くの場合 0.25 から 0.5 です。",
    ),
    "glance_of": Text("{judges}; {n} pictures each", "{judges}、各 {n} 枚"),
    "glance.precision": Text("Pictures that lie where real ones do", "実物と同じ範囲にある画像"),
    "glance.coverage": Text("Real pictures that have a generated one near them", "似た生成画像がある実物画像"),
    "glance.retrieval": Text("Caption found among {of}", "{of} 件から説明文を選べた割合"),
    "glance.swap": Text("True caption preferred to one with a word swapped", "1 語を替えた説明文より元を選んだ割合"),
    "glance.near_copies": Text("Suspected copies of training pictures", "学習用画像の複製の疑い"),
    "unreliable": Text("not reliable here", "参考値"),
    "balance": Text("Balance {balance}", "バランス {balance}"),
    "real_pictures": Text("Real pictures", "実物の画像"),
    "beside": Text("Generated beside real", "実物と生成画像の比較"),
    "beside_note": Text(
        "Nobody selected these: the first of a random order. The real picture is the one that the caption was written "
        "for; another picture of the same description is as good an answer.",
        "選別はしていません。無作為な順の先頭です。実物は説明文のもとになった画像で、同じ説明に合う別の画像も正解です。",
    ),
    "real": Text("real", "実物"),
    "generated": Text("balance {balance}", "バランス {balance}"),
    "copies": Text("Closest to training pictures", "学習用画像に最も近い生成画像"),
    "copies_note": Text(
        "The most suspicious of all. Below 1.00 a picture is closer to a training picture than 99% of real pictures "
        "are. No measure finds every copy: look for yourself.",
        "最も疑わしい組です。1.00 未満は、実物の 99% より学習用画像に近いことを示します。"
        "すべての複製を見つける尺度はないため、目で確かめてください。",
    ),
    "training_picture": Text("training", "学習用"),
    "alarms": Text("Alarms", "警報"),
    "alarms_note": Text(
        "Generated pictures beat real ones by more than two standard errors. A model cannot be more real than reality: "
        "it may exploit the judge, or draw only the typical. Do not report these numbers as progress.",
        "生成画像が実物を標準誤差の 2 倍を超えて上回りました。実物より本物らしい画像はありません。"
        "判定役の弱点を突いているか、典型的なものだけを描いている可能性があります。進歩として報告しないでください。",
    ),
    "alarm": Text(
        "{metric}, judge {judge}, balance {balance}: {errors} standard errors better than real pictures.",
        "{metric}(判定役 {judge}、バランス {balance}): 実物より標準誤差の {errors} 倍良い値です。",
    ),
    # The judges.
    "judges": Text("Can the judges be trusted?", "判定役は信頼できるか"),
    "judges_note": Text(
        "Networks taught on real training pairs of this catalogue alone. Before judging they were shown real pictures "
        "they had not been taught with, also spoiled.",
        "このカタログの実物の学習用データだけで学習したネットワークです。判定の前に、学習に使っていない実物の画像と、"
        "それを劣化させたもので試験しました。",
    ),
    "judges_trained": Text(
        "The examination used training pictures, because too few were kept out: it is too favourable.",
        "評価用の画像が足りず、学習用画像で試験したため、結果は甘めです。",
    ),
    "sees.yes": Text(
        "Distances grow step by step with blur, noise and colour shift, past the distance between real pictures.",
        "ぼかし・ノイズ・色ずれを強めるほど距離が大きくなり、実物どうしの距離を超えます。",
    ),
    "sees.no": Text(
        "Fails: real pictures spoiled by blur, noise or colour shift are no further away than other real pictures. It "
        "takes poor pictures for real; its distances say nothing.",
        "不合格: ぼかし・ノイズ・色ずれで劣化させた画像を、別の実物の画像より遠いと感じません。"
        "粗い画像も実物と取り違えるため、この判定役の距離に意味はありません。",
    ),
    "reads.yes": Text(
        "Finds captions and notices swapped words: claims about faithfulness are possible.",
        "説明文を見分け、替えられた語にも気付きます。文章への忠実さを論じられます。",
    ),
    "reads.whole": Text(
        "Finds captions far more often than by luck: claims about faithfulness are possible, for captions as a whole. "
        "Whether it notices a single word cannot be asked, as too few captions here have a colour, number or pattern "
        "word to swap.",
        "説明文を偶然よりはるかに高い割合で見分けるため、説明文全体としての忠実さを論じられます。"
        "入れ替えられる色・数・模様の語を含む説明文が少なく、1 語の違いに気付くかどうかは確かめられません。",
    ),
    "reads.no": Text(
        "Fails on captions: claims about faithfulness to the text are not possible with it.",
        "説明文については不合格です。この判定役で文章への忠実さを論じることはできません。",
    ),
    "examined_on": Text("Examined on {n} real pictures for {split}", "{split}の実物 {n} 枚で試験"),
    "spoiled.blur": Text("blur", "ぼかし"),
    "spoiled.noise": Text("noise", "ノイズ"),
    "spoiled.color_shift": Text("colour shift", "色ずれ"),
    "distance_at": Text("Frechet distance, spoiled: a little, more, much", "劣化の度合い別のフレシェ距離(弱・中・強)"),
    "exam_floor": Text("Frechet distance of other real pictures", "別の実物の画像のフレシェ距離"),
    "exam_retrieval": Text(
        "Caption found among {of} ({needed} needed)", "{of} 件から説明文を選べた割合({needed} 以上で合格)"
    ),
    "exam_shuffled": Text("the same, captions shuffled", "説明文を入れ替えた場合"),
    "exam_swap": Text("True caption preferred (80% needed)", "元の説明文を選んだ割合(80% 以上で合格)"),
    "exam_swap_shuffled": Text(
        "the same with another's picture (10% less needed)", "別の画像と組み合わせた場合(10% 以上低ければ合格)"
    ),
    "exam_luck": Text(
        "Captions found beyond luck, in standard errors ({needed} needed instead)",
        "偶然を上回る度合い(標準誤差の何倍か。代わりに {needed} 以上で合格)",
    ),
    "none": Text("too few such words", "該当する語が不足"),
    # Tables.
    "numbers": Text("All numbers", "すべての数値"),
    "numbers_note": Text(
        "Each with its 95% interval and, in brackets, the number of pictures. Compare only rows of this table, or "
        "reports of the same protocol, seed and judges; never with a published FID.",
        "95% 区間と、括弧内に枚数を添えています。"
        "比べられるのは、この表の行どうしか、手順・シード・判定役が同じレポートだけです。"
        "論文の FID とは比べられません。",
    ),
    "judge_heading": Text("Judge {judge} ({identity})", "判定役 {judge}({identity})"),
    "column.judge": Text("judge", "判定役"),
    "column.before": Text("last model", "前回のモデル"),
    "column.now": Text("this model", "今回のモデル"),
    "column.metric": Text("Metric", "尺度"),
    "column.balance": Text("Balance", "バランス"),
    "column.generated": Text("Generated", "生成画像"),
    "column.generated_half": Text("Generated, half", "生成画像(半数)"),
    "column.real": Text("Real", "実物"),
    "column.training": Text("Training pictures", "学習用画像"),
    "columns_note": Text(
        "Sets (the first six): real is one half of the split against the other, to be compared with generated, half; "
        "training pictures against the split stand beside generated. The rest: the real pictures of the same captions. "
        "Intervals allow for the bias of few pictures, so a Frechet distance may lie above its own; those of "
        "precision, recall, density and coverage hold what so many pictures get on average.",
        "最初の六つは集合の尺度です。実物は半数どうしの比較なので「生成画像(半数)」と比べてください。"
        "学習用画像は「生成画像」と同じ枚数です。残りの尺度の実物は、同じ説明文の実物の画像です。"
        "区間は枚数の少なさによる偏りを補正しているため、フレシェ距離は自身の区間より大きいことがあります。"
        "適合率・再現率・密度・被覆率の区間は、同じ枚数で測った場合の平均を含むものです。",
    ),
    "metric.frechet": Text("Frechet distance \u2193", "フレシェ距離 \u2193"),
    "metric.kernel": Text("Kernel distance \u2193", "カーネル距離 \u2193"),
    "metric.precision": Text("Precision \u2191", "適合率 \u2191"),
    "metric.recall": Text("Recall \u2191", "再現率 \u2191"),
    "metric.density": Text("Density \u2191", "密度 \u2191"),
    "metric.coverage": Text("Coverage \u2191", "被覆率 \u2191"),
    "metric.retrieval": Text("R@1 of {of} \u2191", "R@1({of} 件)\u2191"),
    "metric.retrieval_in_class": Text("R@1 of 20 in class \u2191", "同じクラス内の R@1(20 件)\u2191"),
    "metric.swap": Text("Word swap, two-way \u2191", "語の入れ替え(二択)\u2191"),
    "metric.class_accuracy": Text("Class accuracy \u2191", "クラスの正答率 \u2191"),
    "metric.diversity": Text("Diversity of a caption", "同じ説明文での多様性"),
    "metric.near_copies": Text("Near copies \u2193", "複製の疑い \u2193"),
    "monitors": Text("Signals of training", "学習時の信号"),
    "monitors_note": Text(
        "From the model's own networks at the end of training. They say where to look; never use them to choose "
        "between models or to report quality.",
        "学習の最後に、モデル自身のネットワークから得た値です。調べる手掛かりであり、モデルの選択や品質の報告には使えません。",
    ),
    "protocol": Text("Protocol", "測定の手順"),
    "protocol_note": Text(
        "One caption of each picture of the split, one picture for each caption and balance; picture i has seed + i; "
        "the same captions and seeds at all balances. Diversity: 10 pictures of each of the first captions. "
        "Judges look in fp32.",
        "分割の各画像から説明文を一つ選び、説明文とバランスごとに 1 枚を生成します。i 枚目のシードは seed + i です。"
        "説明文とシードは全バランスで共通です。多様性は先頭の説明文それぞれ 10 枚で測ります。"
        "判定役は fp32 で計算します。",
    ),
    "thresholds": Text(
        "The limits of the verdict are rules of thumb: 80% and 50% of what real pictures get, 2 and 10 times their "
        "distance, 5% suspected copies.",
        "判定の境目は目安です(実物の 80%・50%、実物どうしの距離の 2 倍・10 倍、複製の疑い 5%)。",
    ),
    # On the screen.
    "screen.held_out": Text(
        "{validation} pictures for validation are fewer than {least}: asked about all that were kept out of training, "
        "{test} for test among them (--split held-out).",
        "検証用の画像は {validation} 枚で、{least} 枚に足りません。学習に使わなかったすべての画像"
        "(テスト用 {test} 枚を含む)で調べます(--split held-out)。",
    ),
    "screen.report": Text("Report: {path}", "レポート: {path}"),
    **GATE_TEXTS,
    **PAPER_TEXTS,
    **SPLIT_TEXTS,
}


def say(key: str, language: Language, **values: int | str) -> str:
    """A text of the table, filled in; numbers get separators."""
    return fill(TEXTS[key], language, **values)


def sentence(line: Line, language: Language) -> str:
    """A line of the verdict in words."""
    return say(f"reason.{line.key}", language, **line.values)


def gate_sentence(line: Line, language: Language) -> str:
    """A line about gates in words."""
    return say(line.key, language, **line.values)
