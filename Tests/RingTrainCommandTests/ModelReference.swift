import Foundation

@testable import RingTrainCommand

/// The model's definition in double precision and plain loops: what the fast one is held against.
enum ModelReference {
    /// The loss summed over samples, each a row of normalized inputs with its label.
    static func lossSum(
        shape: ModelShape, parameters: [Double], inputs: [[Double]], labels: [UInt8]
    ) -> Double {
        zip(inputs, labels).reduce(0) { sum, sample in
            let scores = scores(shape: shape, parameters: parameters, inputs: sample.0)
            let highest = scores.max() ?? 0
            let normalizer = scores.reduce(0) { $0 + exp($1 - highest) }
            return sum + log(normalizer) + highest - scores[Int(sample.1)]
        }
    }

    /// One sample's scores.
    static func scores(shape: ModelShape, parameters: [Double], inputs: [Double]) -> [Double] {
        var values = inputs
        for (index, layer) in shape.layers.enumerated() {
            let isLast = index == shape.layers.count - 1
            values = (0..<layer.outputs).map { output in
                var sum = parameters[layer.biases.lowerBound + output]
                for (input, value) in values.enumerated() {
                    sum += value * parameters[layer.weights.lowerBound + input * layer.outputs + output]
                }
                return isLast ? sum : max(0, sum)
            }
        }
        return values
    }
}
