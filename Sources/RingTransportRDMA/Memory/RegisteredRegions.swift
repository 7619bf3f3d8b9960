import RingSystem
import Synchronization

/// The callers' memory that a transport's devices know: what its owners have registered, and what operations use.
final class RegisteredRegions: Sendable {
    /// Registered memory, as the requests of one protection domain name it.
    struct Region: Sendable {
        var addresses: Range<UInt>
        var domain: VerbsHandle
        var localKey: UInt32
        var remoteKey: UInt32

        func contains(_ memory: UnsafeRawBufferPointer) -> Bool {
            let start = UInt(bitPattern: memory.baseAddress)
            return addresses.lowerBound <= start && start + UInt(memory.count) <= addresses.upperBound
        }
    }

    private struct Entry {
        var region: Region
        var owner: ObjectIdentifier
    }

    private struct State {
        /// What owners have registered, by the first address. None has a part of another.
        var lasting: [Entry] = []
        /// What operations use: few at a time, which may overlap.
        var leased: [Entry] = []
    }

    private let state = Monitor(State())
    private let regionCount = Atomic(0)
    /// Grows with every region that goes, so that nobody goes by what he remembers of it.
    private let removals = Atomic(0)

    var removalCount: Int { removals.load(ordering: .acquiring) }

    func add(_ region: Region, of owner: ObjectIdentifier, isLasting: Bool) {
        state.withLock { state in
            let entry = Entry(region: region, owner: owner)
            if isLasting {
                let place = Self.place(behind: region.addresses.lowerBound, in: state.lasting)
                state.lasting.insert(entry, at: place)
            } else {
                state.leased.append(entry)
            }
            regionCount.store(state.lasting.count + state.leased.count, ordering: .releasing)
        }
    }

    /// Forgets an owner's regions.
    func remove(of owner: ObjectIdentifier) {
        state.withLock { state in
            // Mostly one of the few.
            let count = state.leased.count
            state.leased.removeAll { $0.owner == owner }
            if state.leased.count == count { state.lasting.removeAll { $0.owner == owner } }
            regionCount.store(state.lasting.count + state.leased.count, ordering: .releasing)
            removals.add(1, ordering: .releasing)
        }
    }

    /// The region that the memory lies in, by a protection domain.
    func region(of memory: UnsafeRawBufferPointer, in domain: VerbsHandle) -> Region? {
        guard regionCount.load(ordering: .acquiring) > 0 else { return nil }
        return state.withLock { state in
            Self.lasting(memory, state) { $0.domain == domain }
                ?? state.leased.first { $0.region.domain == domain && $0.region.contains(memory) }?.region
        }
    }

    /// Whether memory lies in a region that lasts until its owner lets go of it.
    func isLasting(_ memory: UnsafeRawBufferPointer) -> Bool {
        guard regionCount.load(ordering: .acquiring) > 0 else { return false }
        return state.withLock { Self.lasting(memory, $0) { _ in true } != nil }
    }

    private static func lasting(
        _ memory: UnsafeRawBufferPointer, _ state: State, _ isWanted: (Region) -> Bool
    ) -> Region? {
        let start = UInt(bitPattern: memory.baseAddress)
        // A page has a region in every domain.
        var place = place(behind: start, in: state.lasting)
        while place > 0, state.lasting[place - 1].region.addresses.upperBound > start {
            place -= 1
            let region = state.lasting[place].region
            if region.contains(memory), isWanted(region) { return region }
        }
        return nil
    }

    /// The place behind the last that begins no later than an address.
    private static func place(behind start: UInt, in entries: [Entry]) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].region.addresses.lowerBound <= start {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}

/// Finds registered memory for one connection, which mostly asks for the same again.
struct RegionFinder {
    let regions: RegisteredRegions
    let domain: VerbsHandle
    private var last: RegisteredRegions.Region?
    private var seenRemovals = 0

    init(_ regions: RegisteredRegions, domain: VerbsHandle) {
        self.regions = regions
        self.domain = domain
    }

    /// The region that the memory lies in.
    mutating func region(of memory: UnsafeRawBufferPointer) -> RegisteredRegions.Region? {
        let removals = regions.removalCount
        if let last, seenRemovals == removals, last.contains(memory) { return last }
        (last, seenRemovals) = (regions.region(of: memory, in: domain), removals)
        return last
    }
}
