"""What training with compressed gradients is measured with, and how it is shown."""

import statistics

from comparison.tables import markdown_table, text_table

COMPRESSIONS = (
    ("none", ()), ("float16", ()), ("bfloat16", ()), ("int8", ()), ("int4", ()), ("int4", ("--no-error-feedback",)))


def rows(results):
    """Accuracies in percent by compression, and the bytes sent; the first row is the head.

    `results` has the seeds' accuracies and the mean of their bytes, by compression and options.
    """
    accuracies, bytes_of_none = results["none", ()]
    body = []
    for (compression, options), (each, sent) in results.items():
        difference = 100 * (statistics.mean(each) - statistics.mean(accuracies))
        body.append([
            " ".join([compression, *options]), f"{100 * statistics.mean(each):.2f}", f"{difference:+.2f}",
            ", ".join(f"{100 * accuracy:.2f}" for accuracy in each), f"{sent / bytes_of_none:.3f}"])
    return [["--compression", "mean accuracy, %", "points from none", "by seed", "bytes sent, times those of none"], *body]


def section(results, ranks, dataset, seeds):
    options = f"-n {ranks} --dataset {dataset} --model mlp --seed {'|'.join(str(seed) for seed in seeds)}"
    return (
        f"`ringtrain {options}`, test accuracy after its ten epochs:\n\n"
        f"{markdown_table(rows(results))}")


def text(results):
    return text_table(rows(results))
