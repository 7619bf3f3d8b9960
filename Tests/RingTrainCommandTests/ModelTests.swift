import Testing

@testable import RingTrainCommand

@Suite struct ModelTests {
    @Test(arguments: [[], [4], [4, 3], [1, 1]])
    func parametersAreLaidOutWithoutGaps(hidden: [Int]) {
        let shape = ModelShape(inputs: 5, hidden: hidden, classes: 3)
        var end = 0
        var inputs = 5
        for (layer, outputs) in zip(shape.layers, hidden + [3]) {
            #expect(layer.inputs == inputs && layer.outputs == outputs)
            #expect(layer.weights == end..<(end + inputs * outputs))
            #expect(layer.biases == layer.weights.upperBound..<(layer.weights.upperBound + outputs))
            end = layer.biases.upperBound
            inputs = outputs
        }
        #expect(shape.layers.count == hidden.count + 1)
        #expect(shape.parameterCount == end && shape.inputs == 5 && shape.classes == 3)
    }

    @Test func firstWeightsHaveTheRightVarianceAndBiasesAreZero() {
        let shape = ModelShape(inputs: 200, hidden: [100], classes: 10)
        let parameters = FloatBuffer(count: shape.parameterCount)
        shape.initialize(parameters, seed: 4)
        for layer in shape.layers {
            let weights = parameters.elements[layer.weights].map(Double.init)
            let variance = weights.reduce(0) { $0 + $1 * $1 } / Double(weights.count)
            #expect(abs(variance * Double(layer.inputs) / 2 - 1) < 0.1)
            #expect(parameters.elements[layer.biases].allSatisfy { $0 == 0 })
        }
        let again = FloatBuffer(count: shape.parameterCount)
        shape.initialize(again, seed: 4)
        #expect(again.values == parameters.values)
        shape.initialize(again, seed: 5)
        #expect(again.values != parameters.values)
    }

    /// The analytic gradient against finite differences of the definition in double precision.
    @Test(arguments: [[], [6], [6, 4]], [1, 3, 8])
    func gradientsMatchFiniteDifferences(hidden: [Int], sampleCount: Int) {
        let shape = ModelShape(inputs: 5, hidden: hidden, classes: 3)
        let labels = RandomData.bytes(sampleCount, below: 3, seed: 9)
        let inputs = RandomData.floats(sampleCount * 5, seed: 10)
        let parameters = FloatBuffer(RandomData.floats(shape.parameterCount, seed: 11))
        let (metrics, gradient) = Self.gradient(shape, parameters, inputs, labels, elementsPerBlock: 7)

        let rows = (0..<sampleCount).map { inputs[($0 * 5)..<($0 * 5 + 5)].map(Double.init) }
        let exact = parameters.values.map(Double.init)
        let loss = ModelReference.lossSum(shape: shape, parameters: exact, inputs: rows, labels: labels)
        #expect(abs(metrics.lossSum - loss) < 1e-5 * Double(sampleCount))
        for index in 0..<shape.parameterCount {
            var (above, below) = (exact, exact)
            above[index] += 1e-6
            below[index] -= 1e-6
            let slope =
                (ModelReference.lossSum(shape: shape, parameters: above, inputs: rows, labels: labels)
                    - ModelReference.lossSum(shape: shape, parameters: below, inputs: rows, labels: labels))
                / 2e-6
            #expect(abs(Double(gradient[index]) - slope) < 1e-4, "parameter \(index) of \(hidden)")
        }
    }

    @Test(arguments: [1, 2, 5, 6, 13, 1_000])
    func progressRunsFromTheEndToTheStart(elementsPerBlock: Int) {
        let shape = ModelShape(inputs: 5, hidden: [6, 4], classes: 3)
        let parameters = FloatBuffer(RandomData.floats(shape.parameterCount, seed: 1))
        let inputs = RandomData.floats(4 * 5, seed: 2)
        let whole = Self.gradient(shape, parameters, inputs, [0, 1, 2, 0], elementsPerBlock: 1_000_000)
        var offsets: [Int] = []
        let blocked = Self.gradient(
            shape, parameters, inputs, [0, 1, 2, 0], elementsPerBlock: elementsPerBlock
        ) { offset, gradient in
            #expect(offset < offsets.last ?? .max)
            offsets.append(offset)
            // What is reported as filled is final.
            for index in offset..<gradient.count {
                #expect(abs(gradient[index] - whole.gradient[index]) < 1e-6)
            }
        }
        #expect(offsets.last == 0)
        for (left, right) in zip(blocked.gradient, whole.gradient) { #expect(abs(left - right) < 1e-6) }
    }

    @Test func aBatchOfNothingHasAGradientOfZeros() {
        let shape = ModelShape(inputs: 5, hidden: [6], classes: 3)
        let parameters = FloatBuffer(RandomData.floats(shape.parameterCount, seed: 1))
        let (metrics, gradient) = Self.gradient(shape, parameters, [], [], elementsPerBlock: 4)
        #expect(metrics == Metrics())
        #expect(gradient == [Float](repeating: 0, count: shape.parameterCount))
    }

    /// Runs a batch forward and backward over a gradient that starts full of other numbers.
    static func gradient(
        _ shape: ModelShape, _ parameters: FloatBuffer, _ inputs: [Float], _ labels: [UInt8],
        elementsPerBlock: Int, filled: (Int, [Float]) -> Void = { _, _ in }
    ) -> (metrics: Metrics, gradient: [Float]) {
        let forward = ForwardPass(shape: shape, capacity: max(1, labels.count))
        let backward = BackwardPass(
            shape: shape, capacity: max(1, labels.count), elementsPerBlock: elementsPerBlock)
        let batch = forward.inputs(sampleCount: labels.count)
        for (index, value) in inputs.enumerated() { batch.start[index] = value }
        let gradient = FloatBuffer([Float](repeating: 123, count: shape.parameterCount))
        let scores = forward.run(parameters: parameters, sampleCount: labels.count)
        let metrics = SoftmaxCrossEntropy.evaluate(scores: scores, labels: labels)
        backward.run(forward: forward, parameters: parameters, scoreGradient: scores, gradient: gradient) {
            filled($0, gradient.values)
        }
        return (metrics, gradient.values)
    }
}
