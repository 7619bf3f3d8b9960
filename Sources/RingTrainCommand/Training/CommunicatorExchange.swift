import RingCollectives
import RingCore

/// The exchange over this library's communicator.
final class CommunicatorExchange: GradientExchange {
    private let communicator: Communicator
    private let algorithm: Algorithm
    private let compression: Compression
    private let keepsErrors: Bool
    /// What compression has taken from each bucket of the gradient, by where it is.
    private var feedback: [UnsafeMutablePointer<Float>: ErrorFeedback] = [:]
    private(set) var traffic = Traffic()

    /// Exchanges over `communicator`, which the caller closes; gradients are summed by `algorithm`, compressed.
    ///
    /// - Parameter keepsErrors: Whether what lossy compression takes from a gradient is added to the next one at the
    ///   same place.
    init(
        _ communicator: Communicator, algorithm: Algorithm, compression: Compression = .none,
        keepsErrors: Bool = true
    ) {
        self.communicator = communicator
        self.algorithm = algorithm
        self.compression = compression
        self.keepsErrors = keepsErrors && !compression.isLossless
    }

    var rank: Rank { communicator.rank }
    var worldSize: Int { communicator.worldSize }

    func broadcast(_ elements: UnsafeMutableBufferPointer<Float>) throws {
        try run(.broadcast(elements, root: 0))
    }

    func startSum(_ elements: UnsafeMutableBufferPointer<Float>) throws -> any PendingSum {
        let sum = CollectiveOperation.allReduce(elements, .sum).using(algorithm)
        let work = try communicator.start(sum.compressed(compression, feedback: feedback(of: elements)))
        return WorkSum(work: work, exchange: self)
    }

    private func feedback(of elements: UnsafeMutableBufferPointer<Float>) -> ErrorFeedback? {
        guard keepsErrors, let start = elements.baseAddress else { return nil }
        if let known = feedback[start], known.count == elements.count { return known }
        let new = ErrorFeedback(count: elements.count)
        feedback[start] = new
        return new
    }

    func residual(of elements: UnsafeMutableBufferPointer<Float>) -> [Float]? {
        feedback(of: elements)?.residual
    }

    func restore(_ residual: [Float], of elements: UnsafeMutableBufferPointer<Float>) {
        guard keepsErrors, let start = elements.baseAddress else { return }
        precondition(residual.count == elements.count, "a residual of another size")
        feedback[start] = ErrorFeedback(residual)
    }

    func sum(_ values: inout [Double]) throws {
        try values.withUnsafeMutableBufferPointer { try run(.allReduce($0, .sum)) }
    }

    func allGather(_ bytes: [UInt8]) throws -> [UInt8] {
        var all = [UInt8](repeating: 0, count: bytes.count * worldSize)
        try bytes.withUnsafeBufferPointer { input in
            try all.withUnsafeMutableBufferPointer { output in
                try run(.allGather(from: input, into: output))
            }
        }
        return all
    }

    private func run(_ operation: CollectiveOperation) throws {
        traffic.sentBytes += try communicator.run(operation).wireBytes
    }

    /// A sum that the communicator's own thread carries out.
    private struct WorkSum: PendingSum {
        let work: Work
        let exchange: CommunicatorExchange

        func wait() throws {
            try work.wait()
            guard let statistics = work.statistics else { return }
            exchange.traffic.sentBytes += statistics.wireBytes
            exchange.traffic.algorithms.insert(statistics.algorithm)
        }

        func cancel() { work.cancel() }
    }
}
