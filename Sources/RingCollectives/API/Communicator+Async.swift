public import RingCore
import RingSystem

// Arrays, from asynchronous code. While an operation runs, the array's storage belongs to the library; it comes back
// when the call returns or throws. After an error the elements are undefined. Cancelling the task ends the operation, and
// the communicator, on all ranks.

extension Communicator {
    /// Replaces each element by the combination of all ranks' elements at its place.
    ///
    /// Ring: 2(n-1) steps; each rank sends 2(n-1)/n times the array's bytes. The result is the same, bit for bit, on
    /// all ranks.
    public func allReduce<Element: CollectiveElement>(
        _ elements: inout [Element], _ op: ReductionOperator, compression: Compression = .none,
        timeout: Duration? = nil
    ) async throws {
        try await inPlace(&elements) { .allReduce($0, op).compressed(compression).within(timeout) }
    }

    /// The combinations of all ranks' elements; `elements` stay as they are.
    public func allReduce<Element: CollectiveElement>(
        _ elements: [Element], _ op: ReductionOperator, compression: Compression = .none,
        timeout: Duration? = nil
    ) async throws -> [Element] {
        try await outOfPlace(elements, count: elements.count) {
            .allReduce(from: $0, into: $1, op).compressed(compression).within(timeout)
        }
    }

    /// Replaces the root's elements by the combinations of all ranks' elements; other ranks' stay as they are.
    public func reduce<Element: CollectiveElement>(
        _ elements: inout [Element], _ op: ReductionOperator, root: Rank, compression: Compression = .none,
        timeout: Duration? = nil
    ) async throws {
        try await inPlace(&elements) { .reduce($0, op, root: root).compressed(compression).within(timeout) }
    }

    /// On the root, the combinations of all ranks' elements; nil on the others.
    public func reduce<Element: CollectiveElement>(
        _ elements: [Element], _ op: ReductionOperator, root: Rank, compression: Compression = .none,
        timeout: Duration? = nil
    ) async throws -> [Element]? {
        let result = try await outOfPlace(elements, count: rank == root ? elements.count : 0) {
            .reduce(from: $0, into: $1, op, root: root).compressed(compression).within(timeout)
        }
        return rank == root ? result : nil
    }

    /// This rank's share of the combinations of all ranks' elements: `Partition(elements.count, worldSize)[rank]`, or,
    /// with `counts`, the same on all ranks, as many as they say.
    ///
    /// Ring: n-1 steps; each rank sends (n-1)/n times the array's bytes.
    public func reduceScatter<Element: CollectiveElement>(
        _ elements: [Element], _ op: ReductionOperator, counts: [Int]? = nil,
        compression: Compression = .none, timeout: Duration? = nil
    ) async throws -> [Element] {
        let share = Partition(count: elements.count, parts: worldSize)[rank].count
        return try await outOfPlace(elements, count: ownCount(of: counts) ?? share) {
            .reduceScatter(from: $0, into: $1, op, counts: counts).compressed(compression).within(timeout)
        }
    }

    /// All ranks' elements, by rank. Every rank gives as many, or as many as `counts`, the same on all ranks, say.
    ///
    /// Ring: n-1 steps; each rank sends n-1 times the array's bytes.
    public func allGather<Element: CollectiveElement>(
        _ elements: [Element], counts: [Int]? = nil, compression: Compression = .none,
        timeout: Duration? = nil
    ) async throws -> [Element] {
        try await outOfPlace(elements, count: total(of: counts) ?? elements.count * worldSize) {
            .allGather(from: $0, into: $1, counts: counts).compressed(compression).within(timeout)
        }
    }

    /// On the root, all ranks' elements, by rank; nil on the others. Every rank gives as many, or as many as `counts`
    /// say, which only the root must know: elsewhere they may be empty.
    public func gather<Element: CollectiveElement>(
        _ elements: [Element], counts: [Int]? = nil, root: Rank, timeout: Duration? = nil
    ) async throws -> [Element]? {
        let count = rank == root ? total(of: counts) ?? elements.count * worldSize : 0
        let result = try await outOfPlace(elements, count: count) { input, output in
            let operation: CollectiveOperation =
                if let counts {
                    .gather(from: input, into: output, counts: counts, root: root)
                } else {
                    .gather(from: input, into: output, count: input.count * worldSize, root: root)
                }
            return operation.within(timeout)
        }
        return rank == root ? result : nil
    }

    /// Replaces the elements on all ranks by the root's.
    public func broadcast<Element: CollectiveElement>(
        _ elements: inout [Element], root: Rank, compression: Compression = .none, timeout: Duration? = nil
    ) async throws {
        try await inPlace(&elements) { .broadcast($0, root: root).compressed(compression).within(timeout) }
    }

    /// This rank's share of the root's `elements`, of which there are `count`: `Partition(count, worldSize)[rank]`.
    /// Other ranks' elements are not looked at and may be empty.
    public func scatter<Element: CollectiveElement>(
        _ elements: [Element], count: Int, root: Rank, timeout: Duration? = nil
    ) async throws -> [Element] {
        let share = Partition(count: Self.imaginable(count) ?? 0, parts: worldSize)[rank].count
        return try await outOfPlace(elements, count: share) {
            .scatter(from: $0, into: $1, count: count, root: root).within(timeout)
        }
    }

    /// This rank's share of the root's `elements`, as many as `counts`, known to all ranks, say. Other ranks' elements
    /// are not looked at and may be empty.
    public func scatter<Element: CollectiveElement>(
        _ elements: [Element], counts: [Int], root: Rank, timeout: Duration? = nil
    ) async throws -> [Element] {
        try await outOfPlace(elements, count: ownCount(of: counts) ?? 0) {
            .scatter(from: $0, into: $1, counts: counts, root: root).within(timeout)
        }
    }

    /// Sends each rank a block of the elements; returns the blocks that came from the ranks, in their order.
    ///
    /// All ranks give as many, a multiple of the world size.
    public func allToAll<Element: CollectiveElement>(
        _ elements: [Element], timeout: Duration? = nil
    ) async throws -> [Element] {
        try await outOfPlace(elements, count: elements.count) {
            .allToAll(from: $0, into: $1).within(timeout)
        }
    }

    /// Sends rank r `counts[r]` of the elements; returns what came from the ranks, `receiveCounts[r]` from rank r, in
    /// their order.
    public func allToAll<Element: CollectiveElement>(
        _ elements: [Element], counts: [Int], receiveCounts: [Int], timeout: Duration? = nil
    ) async throws -> [Element] {
        try await outOfPlace(elements, count: total(of: receiveCounts) ?? 0) {
            .allToAll(from: $0, counts: counts, into: $1, receiveCounts: receiveCounts).within(timeout)
        }
    }

    /// Sends the elements to one rank, which receives as many with the same tag.
    public func send<Element: CollectiveElement>(
        _ elements: [Element], to peer: Rank, tag: UInt32 = 0, timeout: Duration? = nil
    ) async throws {
        _ = try await outOfPlace(elements, count: 0) { input, _ in
            .send(input, to: peer, tag: tag).within(timeout)
        }
    }

    /// Replaces the elements by as many that one rank sends with this tag.
    public func receive<Element: CollectiveElement>(
        into elements: inout [Element], from peer: Rank, tag: UInt32 = 0, timeout: Duration? = nil
    ) async throws {
        try await inPlace(&elements) { .receive(into: $0, from: peer, tag: tag).within(timeout) }
    }

    /// Returns on no rank before all have called it.
    public func barrier(timeout: Duration? = nil) async throws {
        try await start(.barrier().within(timeout)).value
    }

    // The sizes of arrays to be made. Where there is none, the operation's own check says what is wrong with the counts.

    /// This rank's count.
    private func ownCount(of counts: [Int]?) -> Int? {
        guard let counts, counts.indices.contains(rank) else { return nil }
        return Self.imaginable(counts[rank])
    }

    /// All ranks' counts together.
    private func total(of counts: [Int]?) -> Int? {
        guard let counts, counts.count == worldSize else { return nil }
        return counts.reduce(Optional(0)) { sum, count in
            sum.flatMap { sum in Self.imaginable(count).flatMap { Self.imaginable(sum + $0) } }
        }
    }

    /// A count of elements that an address space could hold.
    private static func imaginable(_ count: Int) -> Int? {
        (0...(Int.max >> 4)).contains(count) ? count : nil
    }
}

extension Communicator {
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
        // The standard library writes to the one empty array that all share, which the thread sanitizer sees.
        let output: [Element] =
            count == 0
            ? []
            : [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
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
