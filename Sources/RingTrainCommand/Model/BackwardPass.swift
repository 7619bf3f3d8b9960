/// Computes the gradient of a batch's summed loss, from the model's last parameter to its first.
///
/// It says how far it has come, so that the gradient's finished end can be reduced over the ranks while the rest
/// is still being computed.
final class BackwardPass {
    let shape: ModelShape
    private let signalBuffers: [FloatBuffer]
    private let elementsPerBlock: Int

    /// Allocates room for batches of up to `capacity` samples.
    ///
    /// A layer's weights are done in blocks of rows of about `elementsPerBlock` elements, and progress is
    /// reported after each.
    init(shape: ModelShape, capacity: Int, elementsPerBlock: Int) {
        precondition(elementsPerBlock > 0, "blocks of \(elementsPerBlock) elements")
        self.shape = shape
        self.elementsPerBlock = elementsPerBlock
        signalBuffers = shape.layers.dropLast().map { FloatBuffer(count: capacity * $0.outputs) }
    }

    /// Sets `gradient` from the last layer's `scoreGradient`, with `forward` as it ran on the same batch.
    ///
    /// `filled` is called with an offset after each part: the gradient from there to its end is final.
    func run(
        forward: ForwardPass, parameters: FloatBuffer, scoreGradient: Matrix, gradient: FloatBuffer,
        filled: (_ offset: Int) throws -> Void
    ) rethrows {
        let sampleCount = scoreGradient.rows
        var signal = scoreGradient
        for index in shape.layers.indices.reversed() {
            let layer = shape.layers[index]
            let inputs =
                index == 0
                ? forward.inputs(sampleCount: sampleCount)
                : forward.output(ofLayer: index - 1, sampleCount: sampleCount)

            signal.sumRows(into: gradient.start + layer.biases.lowerBound)
            try fillWeights(of: layer, inputs: inputs, signal: signal, gradient: gradient, filled: filled)
            if index == 0 { return }

            let inputSignal = Matrix(signalBuffers[index - 1].start, rows: sampleCount, columns: layer.inputs)
            inputSignal.setProduct(.plain(signal), .transposed(layer.weightMatrix(in: parameters)))
            inputSignal.clearWhereZero(inputs)
            signal = inputSignal
        }
    }

    private func fillWeights(
        of layer: DenseLayer, inputs: Matrix, signal: Matrix, gradient: FloatBuffer,
        filled: (_ offset: Int) throws -> Void
    ) rethrows {
        let weights = layer.weightMatrix(in: gradient)
        let rowsPerBlock = max(1, elementsPerBlock / layer.outputs)
        var end = layer.inputs
        while end > 0 {
            let start = max(0, end - rowsPerBlock)
            weights.rows(start..<end).setProduct(.transposed(inputs.columns(start..<end)), .plain(signal))
            try filled(layer.weights.lowerBound + start * layer.outputs)
            end = start
        }
    }
}
