#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The loss: the cross entropy between the softmax of a sample's scores and its label.
enum SoftmaxCrossEntropy {
    /// Measures the scores of a batch, and replaces them by the gradient of the batch's summed loss.
    ///
    /// A sample counts as correct if its label has the highest score; of equal scores the first class wins, and
    /// a sample whose scores are not numbers is never correct.
    static func evaluate(scores: Matrix, labels: some Sequence<UInt8>) -> Metrics {
        var metrics = Metrics()
        var row = scores.start
        for label in labels {
            let label = Int(label)
            var best = 0
            for index in 1..<scores.columns where row[index] > row[best] { best = index }
            let highest = row[best]
            let labelScore = row[label]
            var sum: Float = 0
            for index in 0..<scores.columns {
                // Scores at most 0 cannot overflow, and one of them is 0, so the sum is at least 1.
                let exponential = exp(row[index] - highest)
                row[index] = exponential
                sum += exponential
            }
            let scale = 1 / sum
            for index in 0..<scores.columns { row[index] *= scale }
            row[label] -= 1
            metrics.lossSum += Double(log(sum) - (labelScore - highest))
            metrics.correctCount += best == label && sum.isFinite ? 1 : 0
            metrics.sampleCount += 1
            row += scores.columns
        }
        precondition(metrics.sampleCount == Double(scores.rows), "a label for each row of scores")
        return metrics
    }
}

/// Sums over samples, which add up over batches and ranks.
struct Metrics: Sendable, Equatable {
    var lossSum = 0.0
    var correctCount = 0.0
    var sampleCount = 0.0

    /// The mean loss, 0 for no samples.
    var meanLoss: Double { sampleCount > 0 ? lossSum / sampleCount : 0 }
    /// The share of correct samples, 0 for no samples.
    var accuracy: Double { sampleCount > 0 ? correctCount / sampleCount : 0 }

    static func += (left: inout Metrics, right: Metrics) {
        left.lossSum += right.lossSum
        left.correctCount += right.correctCount
        left.sampleCount += right.sampleCount
    }
}
