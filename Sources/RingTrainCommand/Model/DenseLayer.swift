/// Where one fully connected layer lies in a model's parameters: its weights, then its biases.
struct DenseLayer: Sendable, Equatable {
    /// How many inputs the layer has; its weights have a row for each.
    let inputs: Int
    /// How many outputs the layer has; its weights have a column for each.
    let outputs: Int
    /// The offset of its first weight.
    let offset: Int

    /// The place of the weights, row by row.
    var weights: Range<Int> { offset..<(offset + inputs * outputs) }
    /// The place of the biases, one an output.
    var biases: Range<Int> { weights.upperBound..<(weights.upperBound + outputs) }
}

/// The layers of a model, and with them the layout of its parameters and of its gradient.
///
/// Softmax regression has one layer. A multilayer perceptron has hidden layers before it, each followed by a
/// rectifier.
struct ModelShape: Sendable, Equatable {
    /// The layers in order from the inputs to the scores.
    let layers: [DenseLayer]

    /// The shape with these numbers of inputs, of units in each hidden layer, and of classes.
    init(inputs: Int, hidden: [Int], classes: Int) {
        let sizes = [inputs] + hidden + [classes]
        precondition(sizes.allSatisfy { $0 > 0 }, "layer sizes \(sizes)")
        var layers: [DenseLayer] = []
        for (inputs, outputs) in zip(sizes, sizes.dropFirst()) {
            layers.append(
                DenseLayer(inputs: inputs, outputs: outputs, offset: layers.last?.biases.upperBound ?? 0))
        }
        self.layers = layers
    }

    /// How many parameters a model of this shape has.
    var parameterCount: Int { layers[layers.count - 1].biases.upperBound }
    /// How many inputs a sample has.
    var inputs: Int { layers[0].inputs }
    /// How many classes the model tells apart.
    var classes: Int { layers[layers.count - 1].outputs }
}

extension ModelShape {
    /// Fills `parameters` with their first values: biases 0, weights uniform with variance 2 / inputs.
    ///
    /// That keeps the signal's size through rectified layers: K. He et al., "Delving deep into rectifiers",
    /// ICCV 2015. Uniform rather than normal numbers need no logarithm, so they are the same everywhere.
    func initialize(_ parameters: FloatBuffer, seed: UInt64) {
        precondition(
            parameters.count == parameterCount, "\(parameters.count) of \(parameterCount) parameters")
        for (index, layer) in layers.enumerated() {
            var generator = SplitMix64(seed: seed, stream: .initialization, index: index)
            let bound = (6 / Float(layer.inputs)).squareRoot()
            for weight in layer.weights { parameters.elements[weight] = bound * generator.nextSignedUnit() }
            for bias in layer.biases { parameters.elements[bias] = 0 }
        }
    }
}
