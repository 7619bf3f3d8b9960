/// The times of one size on one rank, in microseconds.
struct TimingSummary: Equatable, Sendable {
    var mean: Double
    var min: Double
    var p50: Double
    var p99: Double
    var max: Double

    /// Summarises the times of single operations, in nanoseconds; at least one.
    ///
    /// A percentile is the smallest time that so many of all times do not exceed (the nearest rank).
    init(nanoseconds: [UInt64]) {
        precondition(!nanoseconds.isEmpty, "a summary of no times")
        let sorted = nanoseconds.sorted()
        func percentile(_ percent: Int) -> Double {
            Double(sorted[Swift.max(0, (sorted.count * percent + 99) / 100 - 1)]) / 1e3
        }
        mean = sorted.reduce(0.0) { $0 + Double($1) } / Double(sorted.count) / 1e3
        min = percentile(0)
        p50 = percentile(50)
        p99 = percentile(99)
        max = percentile(100)
    }

    /// The summary of the slowest rank, the one with the largest mean, out of all ranks' ``figures``.
    init(slowestOf figures: [Double]) {
        precondition(!figures.isEmpty && figures.count % 5 == 0, "five figures a rank")
        let starts = stride(from: 0, to: figures.count, by: 5)
        let slowest = starts.max { figures[$0] < figures[$1] } ?? 0
        mean = figures[slowest]
        min = figures[slowest + 1]
        p50 = figures[slowest + 2]
        p99 = figures[slowest + 3]
        max = figures[slowest + 4]
    }

    /// The five figures, in the order that ``init(slowestOf:)`` takes them.
    var figures: [Double] { [mean, min, p50, p99, max] }
}
