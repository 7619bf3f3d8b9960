/// Stochastic gradient descent with momentum and weight decay.
///
/// With g the mean gradient plus the decayed parameters: v = momentum * v + g, and parameters -= rate * v. With
/// Nesterov's momentum the step is g + momentum * v. I. Sutskever et al., "On the importance of initialization
/// and momentum in deep learning", ICML 2013.
final class Optimizer {
    /// v, which belongs to the state of a run.
    let velocity: FloatBuffer
    private let momentum: Float
    private let weightDecay: Float
    private let isNesterov: Bool

    init(parameterCount: Int, momentum: Float, weightDecay: Float, isNesterov: Bool) {
        velocity = FloatBuffer(count: parameterCount)
        self.momentum = momentum
        self.weightDecay = weightDecay
        self.isNesterov = isNesterov
    }

    /// Moves `parameters` by one step.
    ///
    /// `gradient` is summed over `sampleCount` samples, those of all ranks.
    func step(parameters: FloatBuffer, gradient: FloatBuffer, sampleCount: Int, learningRate: Float) {
        precondition(
            parameters.count == velocity.count && gradient.count == velocity.count, "gradient's size")
        let (values, sums, speeds) = (parameters.start, gradient.start, velocity.start)
        let scale = 1 / Float(sampleCount)
        let (momentum, decay) = (momentum, weightDecay)
        if isNesterov {
            for index in 0..<velocity.count {
                let slope = sums[index] * scale + decay * values[index]
                let speed = momentum * speeds[index] + slope
                speeds[index] = speed
                values[index] -= learningRate * (slope + momentum * speed)
            }
        } else {
            for index in 0..<velocity.count {
                let slope = sums[index] * scale + decay * values[index]
                let speed = momentum * speeds[index] + slope
                speeds[index] = speed
                values[index] -= learningRate * speed
            }
        }
    }
}
