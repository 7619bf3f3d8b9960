import RingCollectives

/// The exchange over this library's communicator.
final class CommunicatorExchange: GradientExchange {
    private let communicator: Communicator
    private let algorithm: Algorithm
    private(set) var traffic = Traffic()

    /// Exchanges over `communicator`, which the caller closes; gradients are summed by `algorithm`.
    init(_ communicator: Communicator, algorithm: Algorithm) {
        self.communicator = communicator
        self.algorithm = algorithm
    }

    var rank: Rank { communicator.rank }
    var worldSize: Int { communicator.worldSize }

    func broadcast(_ elements: UnsafeMutableBufferPointer<Float>) throws {
        try run(.broadcast(elements, root: 0))
    }

    func startSum(_ elements: UnsafeMutableBufferPointer<Float>) throws -> any PendingSum {
        let work = try communicator.start(.allReduce(elements, .sum).using(algorithm))
        return WorkSum(work: work, exchange: self)
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
