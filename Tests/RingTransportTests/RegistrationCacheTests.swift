import Logging
import RingSystem
import RingTransportTesting
import Testing

@testable import RingTransportRDMA

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The cache's decisions, with a watch that a test speaks for, over software devices.
@Suite struct RegistrationCacheTests {
    private static let unit = 1 << 20

    /// A cache of so many units, and all that it uses.
    private struct Bench {
        let fabric = SoftwareFabric()
        let verbs: SoftwareVerbs
        let watch: ScriptedWatch
        let cache: RegistrationCache
        /// How often a watch has been made.
        let watchCount = Monitor(0)

        init(units: Int = 100, ranges: Int = 100, watchFails: Bool = false) throws {
            let (verbs, watch, watchCount) = (fabric.verbs(), ScriptedWatch(capacity: ranges), watchCount)
            let domain = try SharedDomain(verbs, device: VerbsHandle(bits: 1))
            (self.verbs, self.watch) = (verbs, watch)
            cache = RegistrationCache(
                capacity: units * unit, fewestBytes: unit,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                makeWatch: { () throws(SystemError) in
                    watchCount.withLock { $0 += 1 }
                    if watchFails { throw SystemError("userfaultfd", EPERM) }
                    return watch
                },
                register: { memory throws(SystemError) in
                    try RDMARegistration(memory, with: [domain], verbs)
                })
        }

        /// Has the memory registered, or found; whether it is.
        func use(_ memory: UnsafeRawBufferPointer) -> Bool { cache.registration(of: memory) != nil }

        /// How often memory was registered, or was to be.
        var registrations: Int { verbs.count(.registerMemory) }

        /// How many registrations there are.
        var live: Int { fabric.liveObjects()["memory regions", default: 0] }
    }

    /// So many units from a unit on, at addresses that nobody touches.
    private static func memory(_ first: Int, _ count: Int = 1) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: UnsafeRawPointer(bitPattern: 0x10_0000_0000 + first * unit), count: count * unit)
    }

    @Test func whatIsKeptIsNotRegisteredAgain() throws {
        let bench = try Bench()
        for _ in 0..<3 {
            #expect(bench.use(Self.memory(0)))
            #expect(bench.use(Self.memory(5, 2)))
        }
        #expect(bench.registrations == 2)
        #expect(bench.cache.size == (2, 3 * Self.unit))
        #expect(bench.watchCount.withLock { $0 } == 1)
        #expect(bench.fabric.violations == [])
    }

    /// Part of what is registered is registered, and so are the rest of its pages.
    @Test func partsAreFound() throws {
        let bench = try Bench()
        let memory = Self.memory(0, 3)
        #expect(bench.use(UnsafeRawBufferPointer(rebasing: memory[100..<(2 * Self.unit + 100)])))
        #expect(bench.use(UnsafeRawBufferPointer(rebasing: memory[..<(2 * Self.unit)])))
        #expect(bench.use(UnsafeRawBufferPointer(rebasing: memory[Self.unit..<(2 * Self.unit + 4096)])))
        #expect(bench.registrations == 1)
        #expect(bench.cache.size.bytes == 2 * Self.unit + 4096)
        #expect(bench.use(UnsafeRawBufferPointer(rebasing: memory[Self.unit..<(2 * Self.unit + 4097)])))
        #expect(bench.registrations == 2)
    }

    @Test func smallMemoryIsLeftAlone() throws {
        let bench = try Bench()
        #expect(!bench.use(UnsafeRawBufferPointer(rebasing: Self.memory(0)[1...])))
        #expect(bench.registrations == 0 && bench.watchCount.withLock { $0 } == 0)
    }

    @Test func theLeastRecentlyUsedGiveWay() throws {
        let bench = try Bench(units: 4)
        for unit in [0, 1, 2, 0] { #expect(bench.use(Self.memory(unit))) }
        // Room for two more than one.
        #expect(bench.use(Self.memory(10, 2)))
        #expect(bench.registrations == 4 && bench.live == 3 && bench.watch.count == 3)
        #expect(bench.use(Self.memory(0)) && bench.use(Self.memory(2)))
        #expect(bench.registrations == 4)
        #expect(bench.use(Self.memory(1)))
        #expect(bench.registrations == 5)
        #expect(bench.cache.size.bytes <= 4 * Self.unit)
    }

    @Test func rangesAreBounded() throws {
        let bench = try Bench(ranges: 2)
        for unit in [0, 1, 2, 3] { #expect(bench.use(Self.memory(unit))) }
        #expect(bench.live == 2 && bench.cache.size.entries == 2)
        #expect(bench.use(Self.memory(2)) && bench.use(Self.memory(3)))
        #expect(bench.registrations == 4)
    }

    @Test func whatIsLargerThanTheCacheIsLeftAlone() throws {
        let bench = try Bench(units: 4)
        #expect(bench.use(Self.memory(0)))
        #expect(!bench.use(Self.memory(10, 5)))
        #expect(bench.registrations == 1 && bench.live == 1)
    }

    @Test func noCacheAtAll() throws {
        let bench = try Bench(units: 0)
        #expect(bench.cache.isOff)
        #expect(!bench.use(Self.memory(0)))
        #expect(bench.registrations == 0 && bench.watchCount.withLock { $0 } == 0)
    }

    /// What operations use stays, however much else is asked for.
    @Test func whatIsInUseStays() throws {
        let bench = try Bench(units: 2)
        var first = bench.cache.registration(of: Self.memory(0))
        #expect(first != nil)
        #expect(bench.use(Self.memory(1)) && bench.use(Self.memory(2)) && bench.use(Self.memory(3)))
        // Only by giving up both.
        #expect(!bench.use(Self.memory(10, 2)))
        #expect(bench.live == 1)
        #expect(bench.use(Self.memory(0)))
        #expect(bench.registrations == 4)
        first = nil
        #expect(bench.use(Self.memory(10, 2)))
        #expect(bench.live == 1 && bench.registrations == 5)
    }

    @Test func whatHasGoneIsRegisteredAnew() throws {
        let bench = try Bench()
        #expect(bench.use(Self.memory(0, 4)) && bench.use(Self.memory(10)))
        bench.watch.take(UnsafeRawBufferPointer(rebasing: Self.memory(2)[..<4096]))
        #expect(bench.use(Self.memory(10)))
        #expect(bench.registrations == 2 && bench.live == 1 && bench.watch.count == 1)
        #expect(bench.use(Self.memory(0)))
        #expect(bench.registrations == 3)
    }

    /// What goes in part while an operation uses another: that keeps its own, and the next has a new one.
    @Test func whatGoesWhileItIsUsed() throws {
        let bench = try Bench()
        var old = bench.cache.registration(of: Self.memory(0, 4))
        bench.watch.take(Self.memory(3))
        let new = bench.cache.registration(of: Self.memory(0, 4))
        #expect(new != nil && new !== old)
        #expect(bench.live == 2 && bench.cache.size == (1, 4 * Self.unit))
        old = nil
        #expect(bench.live == 1)
        withExtendedLifetime(new) {}
    }

    /// What may be going just now is neither found nor registered.
    @Test func nothingIsFoundWhileMemoryGoes() throws {
        let bench = try Bench()
        #expect(bench.use(Self.memory(0)))
        bench.watch.setChanging(true)
        #expect(!bench.use(Self.memory(0)) && !bench.use(Self.memory(1)))
        bench.watch.setChanging(false)
        #expect(bench.use(Self.memory(0)))
        #expect(bench.registrations == 1)
    }

    @Test func whatCannotBeWatchedIsNotRegistered() throws {
        let bench = try Bench()
        bench.watch.setRefusing(true)
        #expect(!bench.use(Self.memory(0)))
        #expect(bench.registrations == 0 && bench.cache.size == (0, 0))
        bench.watch.setRefusing(false)
        #expect(bench.use(Self.memory(0)))
    }

    /// Memory that no device takes is asked about once, until it is other memory.
    @Test func refusalsAreRemembered() throws {
        let bench = try Bench(units: 1)
        bench.verbs.fail(.registerMemory, with: EFAULT)
        #expect(!bench.use(Self.memory(0)) && !bench.use(Self.memory(0)))
        #expect(bench.registrations == 1 && bench.cache.size == (1, 0))
        #expect(bench.use(Self.memory(1)))
        bench.watch.take(Self.memory(0))
        #expect(bench.use(Self.memory(0)))
        #expect(bench.registrations == 3 && bench.live == 1)
    }

    /// If no more may be locked, there is less of it from then on, and in the end nothing.
    @Test func itShrinksToWhatMayBeLocked() throws {
        let bench = try Bench(units: 8)
        for unit in 0..<5 { #expect(bench.use(Self.memory(unit))) }
        bench.verbs.fail(.registerMemory, with: ENOMEM)
        #expect(!bench.use(Self.memory(20)))
        // Six were too much.
        #expect(bench.cache.size == (3, 3 * Self.unit) && bench.live == 3 && bench.watch.count == 3)
        #expect(bench.use(Self.memory(4)) && bench.use(Self.memory(20)))
        #expect(bench.cache.size.entries == 3)
        for unit in 30..<33 {
            bench.verbs.fail(.registerMemory, with: ENOMEM)
            #expect(!bench.use(Self.memory(unit)))
        }
        #expect(bench.cache.isOff && bench.live == 0)
    }

    @Test func itIsOffWhereNothingTellsWhatGoes() throws {
        let bench = try Bench(watchFails: true)
        #expect(!bench.cache.isOff)
        #expect(!bench.use(Self.memory(0)) && !bench.use(Self.memory(0)))
        #expect(bench.cache.isOff)
        #expect(bench.registrations == 0 && bench.watchCount.withLock { $0 } == 1)
    }

    /// An operation may have found its memory in another's registration, as long as that was there.
    @Test func whatOverlapsWhatIsInUseStays() throws {
        let bench = try Bench(units: 4)
        #expect(bench.use(Self.memory(0)))
        var used = bench.cache.registration(of: Self.memory(0, 2))
        #expect(used != nil && bench.use(Self.memory(10)))
        // The one at 10 is the youngest, and the only one that may go.
        #expect(bench.use(Self.memory(20)))
        #expect(bench.live == 3 && bench.use(Self.memory(0)) && bench.registrations == 4)
        used = nil
        #expect(bench.use(Self.memory(30, 3)) && bench.live <= 2)
    }

    /// What cannot be watched pushes nothing out.
    @Test func whatIsRefusedTakesNoRoom() throws {
        let bench = try Bench(units: 2)
        #expect(bench.use(Self.memory(0)) && bench.use(Self.memory(1)))
        bench.watch.setRefusing(true)
        #expect(!bench.use(Self.memory(10, 2)))
        bench.watch.setRefusing(false)
        #expect(bench.use(Self.memory(0)) && bench.use(Self.memory(1)))
        #expect(bench.registrations == 2)
    }

    /// What has gone is given up without a look-up, and so is what nobody uses any more once the cache is off.
    @Test func sweeping() throws {
        let bench = try Bench(units: 8)
        bench.cache.sweep()
        #expect(bench.use(Self.memory(0)) && bench.use(Self.memory(1)))
        bench.watch.take(Self.memory(1))
        #expect(bench.live == 2)
        bench.cache.sweep()
        #expect(bench.live == 1 && bench.watch.count == 1)
        var used = bench.cache.registration(of: Self.memory(0))
        #expect(!bench.cache.giveWay() && bench.use(Self.memory(2)) && bench.cache.giveWay())
        #expect(used != nil && bench.live == 1)
        bench.watch.setChanging(true)
        for _ in 0..<100 { #expect(!bench.use(Self.memory(5))) }
        #expect(bench.cache.isOff && bench.live == 1)
        used = nil
        bench.cache.sweep()
        #expect(bench.live == 0 && bench.watch.count == 0)
    }

    /// In the end all goes but what operations use, which goes with them.
    @Test func closing() throws {
        let bench = try Bench()
        var used = bench.cache.registration(of: Self.memory(0))
        #expect(used != nil && bench.use(Self.memory(1)))
        bench.cache.close()
        #expect(bench.live == 1 && bench.watch.count == 0 && bench.watch.isStopped)
        #expect(!bench.use(Self.memory(1)) && bench.cache.isOff)
        used = nil
        #expect(bench.live == 0)
        #expect(bench.fabric.violations == [])
    }
}
