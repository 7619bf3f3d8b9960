import ArgumentParser
import RingCore
import RingPlan
import RingSystem

/// A call as ringbench makes it, which algorithms are compared for.
struct ChoiceQuestion: Sendable {
    var collective: Collective
    var dataType: DataType
    /// The elements of the buffer, as `ringbench COLLECTIVE` counts them.
    var count: Int
    var topology: RankTopology
    var compression: Compression

    /// The call of about so many bytes: whole elements, and for all-to-all whole blocks.
    init(
        _ collective: Collective, bytes: Int, dataType: DataType, topology: RankTopology,
        compression: Compression = .none
    ) {
        self.collective = collective
        self.dataType = dataType
        self.topology = topology
        self.compression = compression
        let wanted = bytes == 0 ? 0 : max(1, bytes / dataType.byteCount)
        count =
            collective == .barrier
            ? 0
            : CollectiveBenchmarks.benchmark(for: collective).count(near: wanted, ranks: topology.worldSize)
    }

    /// The bytes of the buffer.
    var bytes: Int { count * dataType.byteCount }

    /// The query to the cost model. In an all-to-all, the whole is all ranks' buffers.
    var query: CostQuery {
        CostQuery(
            collective, elementCount: collective == .allToAll ? count * topology.worldSize : count,
            elementSize: dataType.byteCount, topology: topology)
    }

    /// The algorithms that can carry it out.
    var candidates: [String] { Planners.candidates(for: query.planRequest(rank: 0)) }
}

extension Collective {
    /// Throws for a collective that there is nothing to choose for.
    func requireAlgorithms() throws {
        guard Planners.names(for: self).isEmpty else { return }
        throw ValidationError("\(name) has no algorithms to choose among")
    }
}

extension TuningDocument {
    /// Reads a document from a file, for a command.
    init(file: String) throws {
        let bytes: [UInt8]
        do {
            bytes = try FileDescriptor.open(file).contents(atMost: 1 << 24)
        } catch {
            throw ValidationError("tuning document \(file): it cannot be read: \(error.reason)")
        }
        do {
            try self.init(json: bytes, source: file)
        } catch {
            throw ValidationError(error.message)
        }
    }
}
