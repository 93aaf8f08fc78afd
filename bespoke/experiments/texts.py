"""What do the reports on experiments say? Every sentence in every language, in one table."""

from __future__ import annotations

from bespoke.evaluation.report_texts import TEXTS as OF_EVALUATION
from bespoke.evaluation.split_texts import SPLIT_TEXTS
from bespoke.pages.texts import Text

TEXTS: dict[str, Text] = {
    "comparison": Text("Comparison", "比較"),
    "arms_of": Text("{arms}, each with {seeds} seeds", "{arms}(シード各 {seeds} 個)"),
    "budget": Text(
        "Equal budgets: {budget} for every arm and seed, preset {preset}; {n} pictures for {split}.",
        "予算は共通です: 各条件・各シードとも{budget}、プリセット {preset}。{split}の画像 {n} 枚で比べました。",
    ),
    "budget.minutes": Text("{amount} minutes of training", "学習 {amount} 分"),
    "budget.images": Text("{amount} pictures shown", "学習で見せた画像 {amount} 枚"),
    "verdicts": Text("Against {first}", "{first} との差"),
    "verdicts_note": Text(
        "The two metrics that decide, fixed beforehand. A difference counts where its 95% interval over pictures "
        "leaves out zero and it exceeds the standard deviation over seeds.",
        "判断に使う二つの尺度です(事前に決めてあります)。画像を引き直した 95% 区間が 0 を含まず、"
        "シード間の標準偏差を超える差だけを、差とみなします。",
    ),
    "one_seed_note": Text(
        "With one seed nothing counts: another seed may turn every difference around.",
        "シードが一つでは何も言えません。別のシードでは逆の結果になることもあります。",
    ),
    "unexamined": Text(
        "Judge {judge} failed its examination on this catalogue in part; see bespoke evaluate. Its lines are marked.",
        "判定役 {judge} はこのカタログの試験に一部不合格でした(bespoke evaluate を参照)。"
        "該当する行に印を付けています。",
    ),
    "outcome.better": Text("better", "良い"),
    "outcome.worse": Text("worse", "悪い"),
    "outcome.more": Text("more", "多い"),
    "outcome.less": Text("less", "少ない"),
    "outcome.none": Text("no difference shown", "差は認められない"),
    "outcome.one_seed": Text("not known: one seed", "不明(シード一つ)"),
    "outcome.first": Text("the first", "基準"),
    "column.arm": Text("Arm", "条件"),
    "column.judge": Text("Judge", "判定役"),
    "column.mean": Text("Mean \u00b1 s.d. of seeds", "平均 \u00b1 シード間の標準偏差"),
    "column.real_same_n": Text("Real pictures", "実物の画像"),
    "column.difference": Text("Difference to {first} (95% interval)", "{first} との差(95% 区間)"),
    "column.outcome": Text("Result", "結果"),
    "plot": Text("{metric}, judge {judge}, balance {balance}", "{metric}(判定役 {judge}、バランス {balance})"),
    "judged_at": Text("Judge {judge}, balance {balance}", "判定役 {judge}、バランス {balance}"),
    "table_note": Text(
        "Differences are taken between pictures of the same captions and seeds, mean over the training seeds; "
        "intervals from drawing {over} anew. Real pictures, for distances and shares of sets: training pictures "
        "against the split.",
        "差は同じ説明文とシードの画像どうしで取り、学習シードの平均です。区間は{over}を引き直して求めました。"
        "集合の尺度の「実物の画像」は、学習用の画像を、比較に使った実物の画像と比べた値です。",
    ),
    "over.pictures": Text("pictures", "画像"),
    "over.classes": Text("classes", "クラス"),
    "questions": Text("What each arm asks", "各条件が問うこと"),
    "unreliable_mark": Text("not reliable", "参考値"),
    # Tuning.
    "tuning": Text("Search for settings", "設定の探索"),
    "tuned": Text(
        "Trials measured: {finished}; that could not be trained: {failed}; {budget} each.",
        "測定した試行 {finished} 件、学習できなかった試行 {failed} 件。試行ごとに{budget}。",
    ),
    "front": Text("Best trade-offs", "最良の組み合わせ"),
    "front_note": Text(
        "No other trial is better at both. Trial 0 is the preset as it is. Chosen on pictures for {split}, the best "
        "of many look better than they are: train them again with other seeds, and report on pictures not used here.",
        "両方の目標で上回る試行が他にないものです。試行 0 はプリセットのままの設定です。"
        "{split}の画像で選んだ最良の値は実力より良く見えます。別のシードで学習し直し、ここで使っていない画像で報告してください。",
    ),
    "tune_x": Text(
        "Distance, in times that of real pictures (less is better)", "実物どうしの何倍の距離か(小さいほど良い)"
    ),
    "tune_y": Text("Captions found again, share (more is better)", "説明文を選べた割合(大きいほど良い)"),
    "trial": Text("Trial {number}", "試行 {number}"),
    "trials": Text("All trials", "すべての試行"),
    "column.trial": Text("Trial", "試行"),
    "column.distance": Text("Distance \u2193", "距離 \u2193"),
    "column.alignment": Text("R@1 \u2191", "R@1 \u2191"),
    "column.settings": Text("Settings", "設定"),
    "real_pictures": Text("Real pictures on both aims", "両方の目標での実物の画像の値"),
    "real_of": Text(
        "Judge {judge}: distance {distance} (half of them against the other), R@1 {alignment}.",
        "判定役 {judge}: 距離 {distance}(半分どうし)、R@1 {alignment}。",
    ),
    "not_counted": Text("not counted", "数えない"),
    "none_sees": Text(
        "No judge passed the examination of its eyes on this catalogue. All are counted, and the distances of this "
        "page are worth little: look at the pictures before you choose.",
        "このカタログで画像の試験に合格した判定役がいません。全員の値を使っていますが、"
        "このページの距離は当てになりません。選ぶ前に画像を確かめてください。",
    ),
    "none_reads": Text(
        "No judge passed the examination of its reading on this catalogue. All are counted, and the R@1 of this page "
        "is worth little: look at the pictures before you choose.",
        "このカタログで説明文の試験に合格した判定役がいません。全員の値を使っていますが、"
        "このページの R@1 は当てになりません。選ぶ前に画像を確かめてください。",
    ),
    "preset_itself": Text("the preset as it is", "プリセットのまま"),
    "failed": Text("could not be trained: {reason}", "学習できませんでした: {reason}"),
    "footer": Text(
        "No number here compares with one of another catalogue, number of pictures or judge.",
        "別のカタログ・枚数・判定役の数値とは比べられません。",
    ),
    **SPLIT_TEXTS,
    **{key: text for key, text in OF_EVALUATION.items() if key.startswith("metric.")},
    **{key: OF_EVALUATION[key] for key in ("column.metric", "column.balance", "numbers", "protocol")},
    **{key: OF_EVALUATION[key] for key in ("sees.yes", "sees.no", "reads.yes", "reads.no")},
}
