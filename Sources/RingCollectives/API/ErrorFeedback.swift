/// What lossy compression has taken away from a rank's contributions, to be added to the next ones.
///
/// Kept by the caller, one for each gradient, and passed to each of its reductions: what one could not send, a later one
/// sends, so that nothing is lost over time (Seide et al., "1-Bit Stochastic Gradient Descent", Interspeech 2014). It
/// belongs to the state of a training run, with the parameters. Memory: a float32 an element.
///
/// While an operation runs that it was passed to, nothing else may use it.
public final class ErrorFeedback: @unchecked Sendable {
    // Operations that share it run one after another, see above; the engine's threads alone use it meanwhile.

    /// The elements of the gradient.
    public let count: Int
    let values: UnsafeMutablePointer<Float>

    /// Nothing to add, for a gradient of so many elements.
    public init(count: Int) {
        precondition(count >= 0, "a count must not be negative, but is \(count)")
        self.count = count
        values = .allocate(capacity: count)
        values.initialize(repeating: 0, count: count)
    }

    /// What was saved as ``residual``.
    public convenience init(_ residual: [Float]) {
        self.init(count: residual.count)
        values.update(from: residual, count: count)
    }

    deinit {
        values.deallocate()
    }

    /// Forgets what has been taken away.
    public func reset() {
        values.update(repeating: 0, count: count)
    }

    /// What has been taken away and not been sent since.
    public var residual: [Float] { Array(UnsafeBufferPointer(start: values, count: count)) }
}
