import RingCore

@testable import RingBenchCommand

/// One rank of a ``FakeWorld``, which computes collectives by the plain definition.
struct FakeRank: BenchmarkSubject {
    let world: FakeWorld
    let rank: Rank

    var worldSize: Int { world.ranks }
    var localRank: Int { rank }
    var localWorldSize: Int { world.ranks }
    var transportName: String { "fake" }

    func prepare(_ call: CollectiveCall) throws -> CollectiveCall { call }

    func run(_ call: CollectiveCall) throws {
        if case .throwsError(rank) = world.fault {
            throw CollectiveError(.peerLost, "rank 0 went away", peer: 0)
        }
        if call.collective == .barrier {
            if case .barrierDoesNotWait = world.fault { return }
            return try barrier()
        }
        let input = call.input ?? UnsafeRawBufferPointer(call.output)
        let contributions = try world.exchange(Array(input), rank: rank)
        if case .doesNothing = world.fault { return }
        compute(call, contributions)
        spoil(call)
    }

    func runCounting(_ call: CollectiveCall) throws -> OperationFigures {
        try run(call)
        return OperationFigures(
            wireBytes: 1_000 + rank, elementBytes: 4_000 + rank, algorithm: call.algorithm ?? "plain")
    }

    func barrier() throws { _ = try world.exchange([], rank: rank) }

    func combine(_ values: [Double], _ op: ReductionOperator) throws -> [Double] {
        let own = values.withUnsafeBytes { Array($0) }
        let all = try world.exchange(own, rank: rank).map { bytes in
            bytes.withUnsafeBytes { Array($0.bindMemory(to: Double.self)) }
        }
        return values.indices.map { index in
            let column = all.map { $0[index] }
            return op == .max ? column.max() ?? 0 : column.reduce(0, +)
        }
    }

    private func compute(_ call: CollectiveCall, _ contributions: [[UInt8]]) {
        var contributions = contributions
        if case .leavesOut(let missing) = world.fault, worldSize > 1 {
            contributions[missing] = contributions[(missing + 1) % worldSize]
        }
        let size = call.dataType.byteCount
        switch call.collective {
        case .allReduce:
            let result = ReferenceReduction.reduce(contributions, call.dataType, call.op)
            call.output.copyBytes(from: result)
        case .reduceScatter:
            let result = ReferenceReduction.reduce(contributions, call.dataType, call.op)
            let chunk = Partition(count: result.count / size, parts: worldSize)[rank]
            let target = call.input == nil ? chunk.lowerBound * size : 0
            UnsafeMutableRawBufferPointer(rebasing: call.output[target...])
                .copyBytes(from: result[chunk.lowerBound * size..<chunk.upperBound * size])
        case .allGather:
            let count = call.output.count / size
            for source in 0..<worldSize {
                let chunk = Partition(count: count, parts: worldSize)[source]
                let from = call.input == nil ? chunk.lowerBound * size : 0
                UnsafeMutableRawBufferPointer(rebasing: call.output[(chunk.lowerBound * size)...])
                    .copyBytes(from: contributions[source][from..<from + chunk.count * size])
            }
        case .broadcast:
            call.output.copyBytes(from: contributions[call.root])
        case .reduce where rank == call.root:
            call.output.copyBytes(from: ReferenceReduction.reduce(contributions, call.dataType, call.op))
        case .gather where rank == call.root:
            for source in 0..<worldSize {
                let chunk = Partition(count: call.count, parts: worldSize)[source]
                // A rank's own buffer says whether it is in place, and all are alike.
                let from = call.input == nil ? chunk.lowerBound * size : 0
                UnsafeMutableRawBufferPointer(rebasing: call.output[(chunk.lowerBound * size)...])
                    .copyBytes(from: contributions[source][from..<from + chunk.count * size])
            }
        case .scatter:
            let chunk = Partition(count: call.count, parts: worldSize)[rank]
            let target = call.input == nil ? chunk.lowerBound * size : 0
            UnsafeMutableRawBufferPointer(rebasing: call.output[target...])
                .copyBytes(from: contributions[call.root][chunk.lowerBound * size..<chunk.upperBound * size])
        case .allToAll:
            let block = call.count / worldSize * size
            for source in 0..<worldSize {
                UnsafeMutableRawBufferPointer(rebasing: call.output[(source * block)...])
                    .copyBytes(from: contributions[source][rank * block..<(rank + 1) * block])
            }
        case .sendReceive:
            call.output.copyBytes(from: contributions[(rank + worldSize - 1) % worldSize])
        default:
            break
        }
    }

    private func spoil(_ call: CollectiveCall) {
        guard let start = call.output.baseAddress else { return }
        let size = call.dataType.byteCount
        switch world.fault {
        case .flipsBit(rank):
            // The rest of an in-place reduce-scatter's or scatter's buffer is nobody's.
            let chunk = Partition(count: call.output.count / size, parts: worldSize)[rank]
            let isChunk = [.reduceScatter, .scatter].contains(call.collective) && call.input == nil
            let element = isChunk ? chunk.lowerBound : 0
            if !call.output.isEmpty { call.output[element * size] ^= 1 }
        case .shiftsByOne(rank):
            guard call.output.count > size else { return }
            let bytes = Array(call.output)
            UnsafeMutableRawBufferPointer(rebasing: call.output[size...]).copyBytes(
                from: bytes.dropLast(size))
        case .writesBeyondEnd(rank):
            (start + call.output.count).storeBytes(of: 0x11, as: UInt8.self)
        case .writesBeforeStart(rank):
            (start - 1).storeBytes(of: 0x11, as: UInt8.self)
        case .changesInput(rank):
            guard let input = call.input, let first = input.baseAddress, !input.isEmpty else { return }
            UnsafeMutableRawPointer(mutating: first).storeBytes(of: ~input[0], as: UInt8.self)
        default:
            break
        }
    }
}
