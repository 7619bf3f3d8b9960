public import RingCore
import RingSystem

// Arrays, from asynchronous code. While an operation runs, the array's storage belongs to the library; it comes back
// when the call returns or throws. After an error the elements are undefined.

extension Communicator {
    /// Replaces each element by the combination of all ranks' elements at its place.
    ///
    /// Ring: 2(n-1) steps; each rank sends 2(n-1)/n times the array's bytes. The result is the same, bit for bit, on
    /// all ranks. Cancelling the task ends the operation, and the communicator, on all ranks.
    public func allReduce<Element: CollectiveElement>(
        _ elements: inout [Element], _ op: ReductionOperator, timeout: Duration? = nil
    ) async throws {
        try await inPlace(&elements) { .allReduce($0, op).within(timeout) }
    }

    /// The combinations of all ranks' elements; `elements` stay as they are.
    public func allReduce<Element: CollectiveElement>(
        _ elements: [Element], _ op: ReductionOperator, timeout: Duration? = nil
    ) async throws -> [Element] {
        try await outOfPlace(elements, count: elements.count) {
            .allReduce(from: $0, into: $1, op).within(timeout)
        }
    }

    /// This rank's share, `Partition(elements.count, worldSize)[rank]`, of the combinations of all ranks' elements.
    ///
    /// Ring: n-1 steps; each rank sends (n-1)/n times the array's bytes.
    public func reduceScatter<Element: CollectiveElement>(
        _ elements: [Element], _ op: ReductionOperator, timeout: Duration? = nil
    ) async throws -> [Element] {
        let share = Partition(count: elements.count, parts: worldSize)[rank].count
        return try await outOfPlace(elements, count: share) {
            .reduceScatter(from: $0, into: $1, op).within(timeout)
        }
    }

    /// All ranks' elements, by rank. Every rank gives as many.
    ///
    /// Ring: n-1 steps; each rank sends n-1 times the array's bytes.
    public func allGather<Element: CollectiveElement>(
        _ elements: [Element], timeout: Duration? = nil
    ) async throws -> [Element] {
        try await outOfPlace(elements, count: elements.count * worldSize) {
            .allGather(from: $0, into: $1).within(timeout)
        }
    }

    /// Replaces the elements on all ranks by the root's.
    public func broadcast<Element: CollectiveElement>(
        _ elements: inout [Element], root: Rank, timeout: Duration? = nil
    ) async throws {
        try await inPlace(&elements) { .broadcast($0, root: root).within(timeout) }
    }

    /// Returns on no rank before all have called it.
    public func barrier(timeout: Duration? = nil) async throws {
        try await start(.barrier().within(timeout)).value
    }

    private func inPlace<Element: CollectiveElement>(
        _ elements: inout [Element], _ operation: (UnsafeMutableBufferPointer<Element>) -> CollectiveOperation
    ) async throws {
        // The storage moves out of the caller's variable, so that nobody can reach it while the engine writes to it,
        // and moves back without having been copied.
        let lease = ArrayLease(elements)
        elements = []
        defer { elements = lease.elements }
        lease.makeUnique()
        try await lease.withPointer { try start(operation($0)) }.value
    }

    private func outOfPlace<Element: CollectiveElement>(
        _ elements: [Element], count: Int,
        _ operation: (UnsafeBufferPointer<Element>, UnsafeMutableBufferPointer<Element>) ->
            CollectiveOperation
    ) async throws -> [Element] {
        let output = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            UnsafeMutableRawBufferPointer(buffer).initializeMemory(as: UInt8.self, repeating: 0)
            initialized = count
        }
        let input = ArrayLease(elements)
        let result = ArrayLease(output)
        let work = try input.withPointer { input in
            try result.withPointer { result in
                try start(operation(UnsafeBufferPointer(input), result))
            }
        }
        try await work.value
        withExtendedLifetime(input) {}
        return result.elements
    }
}

extension CollectiveOperation {
    /// The same operation, with a time limit of its own if one is given.
    func within(_ timeout: Duration?) -> CollectiveOperation {
        timeout.map { within($0) } ?? self
    }
}
