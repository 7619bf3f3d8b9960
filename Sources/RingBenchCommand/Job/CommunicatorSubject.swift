import RingCollectives
import RingCore

/// One rank's end of a communicator, as what is measured.
struct CommunicatorSubject: BenchmarkSubject {
    let communicator: Communicator

    var rank: Rank { communicator.rank }
    var worldSize: Int { communicator.worldSize }
    var localRank: Int { communicator.localRank }
    var localWorldSize: Int { communicator.localWorldSize }
    var transportName: String { communicator.transportName }

    func registeredMemory(byteCount: Int) throws -> RegisteredBuffer<UInt8>? {
        try communicator.makeBuffer(count: byteCount)
    }

    func prepare(_ call: CollectiveCall) throws -> [CollectiveOperation] {
        CollectiveBenchmarks.benchmark(for: call.collective).operations(call).map { operation in
            var operation = operation
            operation.algorithm = call.algorithm.map { Algorithm(name: $0) } ?? .automatic
            operation.timeout = call.timeout
            return operation.compressed(call.compression)
        }
    }

    func run(_ operations: [CollectiveOperation]) throws {
        if operations.count == 1 {
            try communicator.run(operations[0])
        } else {
            try communicator.run(group: operations)
        }
    }

    /// Through a handle, so that the check of its result covers this way of calling as well.
    func runCounting(_ operations: [CollectiveOperation]) throws -> OperationFigures {
        let works =
            operations.count == 1
            ? [try communicator.start(operations[0])] : try communicator.start(group: operations)
        for work in works { try work.wait() }
        let statistics = works.map { work in
            guard let statistics = work.statistics else {
                preconditionFailure("an operation that has ended well has statistics")
            }
            return statistics
        }
        return OperationFigures(
            wireBytes: statistics.reduce(0) { $0 + $1.wireBytes },
            elementBytes: statistics.reduce(0) { $0 + $1.elementBytes }, algorithm: statistics[0].algorithm)
    }

    func barrier() throws {
        try communicator.barrier()
    }

    func combine(_ values: [Double], _ op: ReductionOperator) throws -> [Double] {
        var combined = values
        var span = combined.mutableSpan
        try communicator.allReduce(&span, op)
        return combined
    }
}
