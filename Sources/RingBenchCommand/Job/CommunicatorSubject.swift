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

    func prepare(_ call: CollectiveCall) throws -> CollectiveOperation {
        guard let benchmark = CollectiveBenchmarks.benchmark(for: call.collective) else {
            throw CollectiveError(.unsupported, "\(call.collective.name) is not in this version yet")
        }
        var operation = benchmark.operation(call)
        operation.algorithm = call.algorithm.map { Algorithm(name: $0) } ?? .automatic
        operation.timeout = call.timeout
        return operation
    }

    func run(_ operation: CollectiveOperation) throws {
        try communicator.run(operation)
    }

    /// Through a handle, so that the check of its result covers this way of calling as well.
    func runCounting(_ operation: CollectiveOperation) throws -> OperationFigures {
        let work = try communicator.start(operation)
        try work.wait()
        guard let statistics = work.statistics else {
            preconditionFailure("an operation that has ended well has statistics")
        }
        return OperationFigures(wireBytes: statistics.wireBytes, algorithm: statistics.algorithm)
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
