/// Sums a gradient over the ranks bucket by bucket, while the backward pass still fills the rest.
///
/// For each step: ``fill(from:)`` as the gradient grows from its end, then ``finish()``. The gradient's memory is
/// kept until no sum works on it any more, also when a step fails half-way.
final class GradientReducer {
    let plan: BucketPlan
    private let gradient: FloatBuffer
    private let exchange: any GradientExchange
    private var pending: [any PendingSum] = []
    private var startedCount = 0
    /// How long the caller had to wait, rather than compute, since the reducer was made.
    private(set) var waitingTime: Duration = .zero

    init(gradient: FloatBuffer, bucketBytes: Int, exchange: any GradientExchange) {
        self.plan = BucketPlan(elementCount: gradient.count, bucketBytes: bucketBytes)
        self.gradient = gradient
        self.exchange = exchange
    }

    deinit {
        abandon()
    }

    /// Starts the sums of the buckets that are complete now that the gradient is final from `offset` on.
    func fill(from offset: Int) throws {
        let completeCount = plan.completeCount(filledFrom: offset)
        guard startedCount < completeCount else { return }
        try timed {
            for bucket in startedCount..<completeCount {
                pending.append(try exchange.startSum(gradient[plan[bucket]]))
                startedCount += 1
            }
        }
    }

    /// Waits until the whole gradient is summed, and makes the reducer ready for the next step.
    func finish() throws {
        precondition(startedCount == plan.count, "\(startedCount) of \(plan.count) buckets were filled")
        try timed {
            while let sum = pending.first {
                try sum.wait()
                pending.removeFirst()
            }
        }
        startedCount = 0
    }

    /// What compression has taken from this rank's gradients and not sent since, element by element; nil if it keeps
    /// nothing.
    var residual: [Float]? {
        var all = [Float](repeating: 0, count: gradient.count)
        for bucket in 0..<plan.count {
            guard let part = exchange.residual(of: gradient[plan[bucket]]) else { return nil }
            all.replaceSubrange(plan[bucket], with: part)
        }
        return all
    }

    /// Goes on with what ``residual`` was.
    func restore(_ residual: [Float]) {
        for bucket in 0..<plan.count {
            exchange.restore(Array(residual[plan[bucket]]), of: gradient[plan[bucket]])
        }
    }

    /// Ends the sums in flight and waits until none of them touches the gradient.
    func abandon() {
        for sum in pending { sum.cancel() }
        // What a cancelled sum throws says nothing new.
        for sum in pending { try? sum.wait() }
        pending = []
        startedCount = 0
    }

    private func timed(_ body: () throws -> Void) rethrows {
        let start = ContinuousClock.now
        defer { waitingTime += ContinuousClock.now - start }
        try body()
    }
}
