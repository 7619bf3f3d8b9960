import Logging
import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Registrations of callers' ordinary memory, kept from one operation to the next for as long as the memory is there.
///
/// There are no more than so many bytes of them, and ranges: the least recently used give way, unless an operation uses
/// them. What has been unmapped, moved or emptied is given up before anybody could find it again.
///
/// Whoever frees memory may wait for the watch to notice it, and hold the allocator's locks meanwhile. The watch waits for
/// nothing that is done here, so what is done here may wait for those locks.
final class RegistrationCache: Sendable {
    /// What tells when memory goes.
    typealias WatchMaker = @Sendable () throws(SystemError) -> any MemoryWatch
    typealias Registering = @Sendable (UnsafeMutableRawBufferPointer) throws(SystemError) -> RDMARegistration

    private struct State {
        /// What tells when memory goes; nil while nothing has been asked for.
        var watch: (any MemoryWatch)?
        /// Whether nothing is kept any more.
        var isOff = false
        var entries: [Entry] = []
        /// The bytes that are registered, and how many they may be.
        var byteCount = 0
        var capacity: Int
        var clock: UInt64 = 0
        /// How many times in a row something was changing.
        var changes = 0
    }

    private struct Entry {
        var pages: Range<UInt>
        /// What the watch calls the pages.
        var number: Int
        /// Nil: the devices have refused the pages.
        var registration: RDMARegistration?
        var lastUse: UInt64

        var byteCount: Int { registration == nil ? 0 : pages.count }
    }

    /// Smaller memory is not worth being registered.
    let fewestBytes: Int
    private let state: Monitor<State>
    private let makeWatch: WatchMaker
    private let register: Registering
    private let logger: Logger

    /// Keeps at most `capacity` bytes.
    init(
        capacity: Int, fewestBytes: Int, logger: Logger, makeWatch: @escaping WatchMaker,
        register: @escaping Registering
    ) {
        self.fewestBytes = fewestBytes
        self.logger = logger
        self.makeWatch = makeWatch
        self.register = register
        state = Monitor(State(isOff: capacity < fewestBytes, capacity: capacity))
    }

    deinit {
        close()
    }

    /// Whether nothing is kept, now and later.
    var isOff: Bool { state.withLock { $0.isOff } }

    /// How many registrations are kept, of how many bytes.
    var size: (entries: Int, bytes: Int) { state.withLock { ($0.entries.count, $0.byteCount) } }

    /// The registration of the memory, kept or new, which stays as long as the caller holds it; nil if it cannot be had.
    func registration(of memory: UnsafeRawBufferPointer) -> RDMARegistration? {
        guard memory.count >= fewestBytes else { return nil }
        let pages = Self.pages(of: memory)
        return state.withLock { state in
            guard let watch = openWatch(&state) else { return nil }
            guard takeNews(&state, watch) else { return nil }
            state.clock += 1
            if let index = state.entries.firstIndex(where: { $0.pages.contains(pages) }) {
                state.entries[index].lastUse = state.clock
                return state.entries[index].registration
            }
            return add(pages, &state, watch)
        }
    }

    /// Gives up what has gone since it was last looked, and what is not found any more, without waiting for the next look-up.
    func sweep() {
        state.withLock { state in
            guard let watch = state.watch else { return }
            if state.isOff {
                dropIdle(&state, watch)
            } else {
                _ = takeNews(&state, watch)
            }
        }
    }

    /// Gives up all that no operation uses, since somebody else may lock no more; whether there was any.
    func giveWay() -> Bool {
        state.withLock { state in
            guard let watch = state.watch else { return false }
            let before = state.byteCount
            dropIdle(&state, watch)
            return state.byteCount < before
        }
    }

    /// Gives up everything, for good. What an operation uses goes when that lets go of it.
    func close() {
        let watch = state.withLock { state in
            state.isOff = true
            if let watch = state.watch {
                while !state.entries.isEmpty { drop(state.entries.count - 1, &state, watch) }
            }
            defer { state.watch = nil }
            return state.watch
        }
        watch?.stop()
    }

    private func openWatch(_ state: inout State) -> (any MemoryWatch)? {
        guard state.watch == nil, !state.isOff else { return state.isOff ? nil : state.watch }
        do throws(SystemError) {
            state.watch = try makeWatch()
        } catch {
            state.isOff = true
            logger.notice("RDMA copies ordinary memory, since nothing would tell when it goes: \(error)")
        }
        return state.watch
    }

    /// Gives up what has gone; false if it cannot be known now what has.
    private func takeNews(_ state: inout State, _ watch: any MemoryWatch) -> Bool {
        switch watch.look() {
        case .changing:
            state.changes += 1
            guard state.changes >= Self.mostChanges else { return false }
            // A kernel that says so for good would cost every operation the asking.
            state.isOff = true
            logger.notice("RDMA copies ordinary memory, since the system no longer tells what has gone of it")
            dropIdle(&state, watch)
            return false
        case .gone: dropGone(&state, watch)
        case .unchanged: break
        }
        state.changes = 0
        return true
    }

    /// After how many times in a row it is not believed any more that something is changing just now.
    private static let mostChanges = 100

    // MARK: Entries

    private func add(_ pages: Range<UInt>, _ state: inout State, _ watch: any MemoryWatch)
        -> RDMARegistration?
    {
        guard pages.count <= state.capacity, makeRoom(for: 0, &state, watch),
            // Before the devices know it, so that there is no moment at which it could go unnoticed.
            let number = watch.add(UnsafeRawBufferPointer(pages.bytes))
        else { return nil }
        guard makeRoom(for: pages.count, &state, watch, ranges: 0) else {
            watch.remove(number)
            return nil
        }
        var registration: RDMARegistration?
        do throws(SystemError) {
            registration = try register(pages.bytes)
        } catch  where error.number == ENOMEM {
            watch.remove(number)
            shrink(&state, below: state.byteCount + pages.count, watch, error)
            return nil
        } catch {
            logger.debug("RDMA copies \(pages.count) bytes that no device takes: \(error)")
        }
        state.entries.append(
            Entry(pages: pages, number: number, registration: registration, lastUse: state.clock))
        state.byteCount += state.entries[state.entries.count - 1].byteCount
        return registration
    }

    /// So many bytes are more than may be registered: there will be no more than half of them.
    private func shrink(
        _ state: inout State, below byteCount: Int, _ watch: any MemoryWatch, _ error: SystemError
    ) {
        state.capacity = min(state.capacity, byteCount / 2)
        logger.notice(
            "RDMA keeps \(state.capacity) bytes of ordinary memory registered, no more: \(RDMAErrors.lack(of: byteCount, error))"
        )
        _ = makeRoom(for: 0, &state, watch)
        if state.capacity < fewestBytes { state.isOff = true }
    }

    private func dropGone(_ state: inout State, _ watch: any MemoryWatch) {
        for index in state.entries.indices.reversed() where watch.isGone(state.entries[index].number) {
            drop(index, &state, watch)
        }
    }

    /// Gives up the least recently used until there is room for so many bytes and ranges; false if operations use the rest.
    private func makeRoom(
        for byteCount: Int, _ state: inout State, _ watch: any MemoryWatch, ranges: Int = 1
    ) -> Bool {
        while state.byteCount + byteCount > state.capacity || state.entries.count + ranges > watch.capacity {
            let used = usedPages(&state)
            var oldest: Int?
            for index in state.entries.indices where isIdle(state.entries[index].pages, used) {
                if oldest.map({ state.entries[index].lastUse < state.entries[$0].lastUse }) ?? true {
                    oldest = index
                }
            }
            guard let oldest else { return false }
            drop(oldest, &state, watch)
        }
        return true
    }

    /// Gives up what no operation uses.
    private func dropIdle(_ state: inout State, _ watch: any MemoryWatch) {
        let used = usedPages(&state)
        for index in state.entries.indices.reversed() where isIdle(state.entries[index].pages, used) {
            drop(index, &state, watch)
        }
    }

    /// The pages that operations use.
    private func usedPages(_ state: inout State) -> [Range<UInt>] {
        var used: [Range<UInt>] = []
        for index in state.entries.indices
        where state.entries[index].registration != nil
            && !isKnownUniquelyReferenced(&state.entries[index].registration)
        {
            used.append(state.entries[index].pages)
        }
        return used
    }

    /// Whether no operation uses the pages. One may have found its memory in another's, as long as that was there.
    private func isIdle(_ pages: Range<UInt>, _ used: [Range<UInt>]) -> Bool {
        !used.contains { $0.overlaps(pages) }
    }

    private func drop(_ index: Int, _ state: inout State, _ watch: any MemoryWatch) {
        let entry = state.entries.remove(at: index)
        state.byteCount -= entry.byteCount
        watch.remove(entry.number)
    }

    /// The whole pages that memory lies in.
    private static func pages(of memory: UnsafeRawBufferPointer) -> Range<UInt> {
        let page = UInt(PageMemory.systemPageSize)
        let start = UInt(bitPattern: memory.baseAddress)
        let end = start + UInt(memory.count)
        return (start / page * page)..<((end + page - 1) / page * page)
    }
}

extension Range<UInt> {
    /// The bytes at these addresses.
    fileprivate var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer(bitPattern: lowerBound), count: count)
    }
}
