import RingSystem
import Synchronization

/// The callers' memory that a transport's devices know.
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

    /// By their first address.
    private let regions = Monitor<[Region]>([])
    private let regionCount = Atomic(0)
    /// Grows with every region that goes, so that nobody goes by what he remembers of it.
    private let removals = Atomic(0)

    var removalCount: Int { removals.load(ordering: .acquiring) }

    func add(_ region: Region) {
        regions.withLock { regions in
            let place = regions.firstIndex { $0.addresses.lowerBound > region.addresses.lowerBound }
            regions.insert(region, at: place ?? regions.count)
            regionCount.store(regions.count, ordering: .releasing)
        }
    }

    func remove(_ region: Region) {
        regions.withLock { regions in
            regions.removeAll { $0.domain == region.domain && $0.localKey == region.localKey }
            regionCount.store(regions.count, ordering: .releasing)
            removals.add(1, ordering: .releasing)
        }
    }

    /// The region that the memory lies in, by a protection domain, or by any.
    func region(of memory: UnsafeRawBufferPointer, in domain: VerbsHandle? = nil) -> Region? {
        guard regionCount.load(ordering: .acquiring) > 0 else { return nil }
        return regions.withLock { regions in
            let start = UInt(bitPattern: memory.baseAddress)
            // Behind the last that begins no later than the memory. A page has a region in every domain.
            var (low, high) = (0, regions.count)
            while low < high {
                let middle = (low + high) / 2
                if regions[middle].addresses.lowerBound <= start { low = middle + 1 } else { high = middle }
            }
            while low > 0, regions[low - 1].addresses.upperBound > start {
                low -= 1
                let region = regions[low]
                if region.contains(memory), domain == nil || region.domain == domain { return region }
            }
            return nil
        }
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
