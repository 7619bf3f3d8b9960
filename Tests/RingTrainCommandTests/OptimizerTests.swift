import Testing

@testable import RingTrainCommand

@Suite struct OptimizerTests {
    @Test(arguments: [false, true], [Float(0), 0.5, 0.9])
    func stepsFollowTheFormula(isNesterov: Bool, momentum: Float) {
        let count = 37
        let decay: Float = 0.01
        let parameters = FloatBuffer(RandomData.floats(count, seed: 1))
        let optimizer = Optimizer(
            parameterCount: count, momentum: momentum, weightDecay: decay, isNesterov: isNesterov)
        var expected = parameters.values.map(Double.init)
        var velocity = [Double](repeating: 0, count: count)
        for step in 0..<5 {
            let gradient = FloatBuffer(RandomData.floats(count, seed: UInt64(10 + step)))
            let rate = Float(0.1) / Float(step + 1)
            optimizer.step(parameters: parameters, gradient: gradient, sampleCount: 3, learningRate: rate)
            for index in 0..<count {
                let slope = Double(gradient.values[index]) / 3 + Double(decay) * expected[index]
                velocity[index] = Double(momentum) * velocity[index] + slope
                let move = isNesterov ? slope + Double(momentum) * velocity[index] : velocity[index]
                expected[index] -= Double(rate) * move
            }
        }
        for (value, reference) in zip(parameters.values, expected) {
            #expect(abs(Double(value) - reference) < 1e-5)
        }
    }

    @Test func constantRatesStay() {
        let rates = LearningRateSchedule(kind: .constant, peak: 0.3, stepCount: 10)
        #expect((0..<10).allSatisfy { rates[$0] == 0.3 })
    }

    @Test(arguments: [1, 2, 3, 19, 20, 21, 100, 690])
    func cosineRatesRiseThenFall(stepCount: Int) {
        let rates = LearningRateSchedule(kind: .cosine, peak: 0.2, stepCount: stepCount)
        let values = (0..<stepCount).map { rates[$0] }
        #expect(values.allSatisfy { $0 > 0 && $0 <= 0.2 })
        let warmUp = max(1, stepCount / 20)
        #expect(abs(values[warmUp - 1] - 0.2) < 1e-6)
        for step in 1..<max(1, stepCount) {
            if step < warmUp { #expect(values[step] > values[step - 1]) }
            if step > warmUp { #expect(values[step] < values[step - 1]) }
        }
        if stepCount >= 100, let last = values.last { #expect(last < 0.001 * 0.2 * 10) }
    }
}
