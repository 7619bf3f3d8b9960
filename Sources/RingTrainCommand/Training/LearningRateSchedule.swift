#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How the learning rate changes over the steps of a training run.
struct LearningRateSchedule: Sendable, Equatable {
    /// The form of the change.
    enum Kind: String, Sendable, CaseIterable {
        /// The rate stays as it is.
        case constant
        /// The rate rises in equal steps over the first twentieth of the run, then falls to 0 as half a cosine.
        ///
        /// I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.
        case cosine
    }

    let kind: Kind
    /// The highest rate.
    let peak: Float
    /// How many steps the run has.
    let stepCount: Int

    /// The rate of one step, above 0 if the peak is.
    subscript(step: Int) -> Float {
        precondition(step >= 0 && step < stepCount, "step \(step) of \(stepCount)")
        guard kind == .cosine else { return peak }
        let warmUp = max(1, stepCount / 20)
        if step < warmUp { return peak * Float(step + 1) / Float(warmUp) }
        let progress = Double(step - warmUp) / Double(stepCount - warmUp)
        return peak * Float(0.5 * (1 + cos(.pi * progress)))
    }
}
