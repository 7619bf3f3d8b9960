/// Computes a model's scores for a batch, and keeps each layer's output for the backward pass.
final class ForwardPass {
    let shape: ModelShape
    /// The most samples that one batch can have.
    let capacity: Int
    private let inputBuffer: FloatBuffer
    private let outputBuffers: [FloatBuffer]

    /// Allocates room for batches of up to `capacity` samples.
    init(shape: ModelShape, capacity: Int) {
        self.shape = shape
        self.capacity = capacity
        inputBuffer = FloatBuffer(count: capacity * shape.inputs)
        outputBuffers = shape.layers.map { FloatBuffer(count: capacity * $0.outputs) }
    }

    /// The batch, a row a sample, to be filled in before ``run(parameters:sampleCount:)``.
    func inputs(sampleCount: Int) -> Matrix {
        precondition(sampleCount <= capacity, "\(sampleCount) samples where there is room for \(capacity)")
        return Matrix(inputBuffer.start, rows: sampleCount, columns: shape.inputs)
    }

    /// What a layer made of the batch: after its rectifier for hidden layers, the scores for the last one.
    func output(ofLayer layer: Int, sampleCount: Int) -> Matrix {
        Matrix(outputBuffers[layer].start, rows: sampleCount, columns: shape.layers[layer].outputs)
    }

    /// Runs the batch of `sampleCount` rows of inputs through the model; returns the scores, a row a sample.
    @discardableResult
    func run(parameters: FloatBuffer, sampleCount: Int) -> Matrix {
        var current = inputs(sampleCount: sampleCount)
        for (index, layer) in shape.layers.enumerated() {
            let output = output(ofLayer: index, sampleCount: sampleCount)
            output.setRows(to: parameters.start + layer.biases.lowerBound)
            output.setProduct(.plain(current), .plain(layer.weightMatrix(in: parameters)), adding: true)
            if index < shape.layers.count - 1 { output.rectify() }
            current = output
        }
        return current
    }
}

extension DenseLayer {
    /// The layer's weights, a row an input, in a buffer of parameters or of their gradient.
    func weightMatrix(in buffer: FloatBuffer) -> Matrix {
        Matrix(buffer.start + weights.lowerBound, rows: inputs, columns: outputs)
    }
}
