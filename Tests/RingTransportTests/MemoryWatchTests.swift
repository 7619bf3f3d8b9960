import Foundation
import RingCore
import Testing

@testable import RingSystem

/// Memory that goes is noticed before anybody could have something else there. By this machine's kernel.
@Suite struct MemoryWatchTests {
    private static let byteCount = 2 << 20
    private static let page = PageMemory.systemPageSize

    /// How memory goes.
    enum Way: CaseIterable, Sendable {
        case unmapping, unmappingOfOnePage, emptying, freeing, replacing, moving
    }

    /// Has memory go, at least some of it; which bytes of it are still mapped.
    ///
    /// What is not may be another test's at once.
    private static func take(_ memory: UnsafeMutableRawPointer, _ way: Way) throws -> [Range<Int>] {
        switch way {
        case .unmapping: munmap(memory, byteCount)
        case .unmappingOfOnePage:
            munmap(memory + 5 * page, page)
            return [0..<(5 * page), (6 * page)..<byteCount]
        case .emptying:
            madvise(memory + byteCount - page, page, Int32(MADV_DONTNEED))
            return [0..<byteCount]
        case .freeing:
            madvise(memory, byteCount, Int32(MADV_FREE))
            return [0..<byteCount]
        case .replacing:
            #expect(map(at: memory, MAP_FIXED) == memory)
            return [0..<byteCount]
        case .moving:
            let place = try #require(map())
            #expect(move(memory, byteCount, to: place) == place)
            munmap(place, byteCount)
        }
        return []
    }

    /// Maps memory, anywhere or in a place if that is free; nil if that cannot be.
    private static func map(
        at place: UnsafeMutableRawPointer? = nil, _ how: Int32 = 0, byteCount: Int = byteCount
    ) -> UnsafeMutableRawPointer? {
        let flags = MAP_ANONYMOUS | how | (how & MAP_SHARED == 0 ? MAP_PRIVATE : 0)
        let memory = mmap(place, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0)
        return memory == MAP_FAILED ? nil : memory
    }

    private static func touched(_ byteCount: Int = byteCount) throws -> UnsafeMutableRawPointer {
        let memory = try #require(map(byteCount: byteCount))
        memset(memory, 1, byteCount)
        return memory
    }

    private static func bytes(
        _ memory: UnsafeMutableRawPointer, _ pages: Range<Int>? = nil
    ) -> UnsafeRawBufferPointer {
        let all = UnsafeRawBufferPointer(start: memory, count: byteCount)
        guard let pages else { return all }
        return UnsafeRawBufferPointer(rebasing: all[(pages.lowerBound * page)..<(pages.upperBound * page)])
    }

    @Test(arguments: Way.allCases) func noticesWhatGoes(_ way: Way) throws {
        let watch = try UserfaultWatch()
        for _ in 0..<20 {
            let memory = try Self.touched()
            let number = try #require(watch.add(Self.bytes(memory)))
            #expect(watch.look() == .unchanged && !watch.isGone(number))
            // Use is not an event.
            memset(memory, 2, Self.byteCount)
            #expect(watch.look() == .unchanged)
            let left = try Self.take(memory, way)
            #expect(watch.look() == .gone && watch.isGone(number))
            watch.remove(number)
            #expect(watch.look() == .unchanged)
            for bytes in left { munmap(memory + bytes.lowerBound, bytes.count) }
            #expect(watch.look() == .unchanged)
        }
    }

    /// What goes beside a range is none of its concern.
    @Test func ignoresWhatIsNotWatched() throws {
        let watch = try UserfaultWatch()
        let memory = try Self.touched()
        let number = try #require(watch.add(Self.bytes(memory, 10..<20)))
        munmap(memory, 10 * Self.page)
        munmap(memory + 20 * Self.page, Self.byteCount - 20 * Self.page)
        #expect(watch.look() == .unchanged && !watch.isGone(number))
        munmap(memory + 10 * Self.page, 10 * Self.page)
        #expect(watch.isGone(number))
    }

    /// Ranges may have pages in common, which are watched as long as one of them is.
    @Test func rangesMayOverlap() throws {
        for removed in 0..<3 {
            let watch = try UserfaultWatch()
            let memory = try Self.touched()
            defer { munmap(memory, Self.byteCount) }
            let pages = [0..<10, 9..<20, 5..<15]
            let numbers = try pages.map { try #require(watch.add(Self.bytes(memory, $0))) }
            watch.remove(numbers[removed])
            madvise(memory + 9 * Self.page, Self.page, Int32(MADV_DONTNEED))
            for (index, number) in numbers.enumerated() where index != removed {
                #expect(watch.isGone(number), "\(index) of all but \(removed)")
            }
        }
    }

    @Test func holdsSoManyRanges() throws {
        let watch = try UserfaultWatch(capacity: 2)
        let memory = try Self.touched()
        defer { munmap(memory, Self.byteCount) }
        let first = try #require(watch.add(Self.bytes(memory, 0..<1)))
        _ = try #require(watch.add(Self.bytes(memory, 3..<4)))
        #expect(watch.add(Self.bytes(memory, 6..<7)) == nil)
        watch.remove(first)
        #expect(watch.add(Self.bytes(memory, 6..<7)) == first)
    }

    /// Others may replace the pages of shared memory, and nobody says so.
    @Test func refusesSharedMemory() throws {
        let watch = try UserfaultWatch()
        let memory = try #require(Self.map(at: nil, MAP_SHARED))
        defer { munmap(memory, Self.byteCount) }
        memset(memory, 1, Self.byteCount)
        #expect(watch.add(Self.bytes(memory)) == nil)
    }

    /// Of two threads one unmaps, and the other has memory of its own in the same place as soon as there is room. It must
    /// never take the old one's for its own, not in the moment before the event is there either.
    @Test func neverMissesWhatHasJustGone() throws {
        let watch = try UserfaultWatch()
        var rounds = 0
        for _ in 0..<300 {
            let memory = try Self.touched()
            let number = try #require(watch.add(Self.bytes(memory)))
            let place = UInt(bitPattern: memory)
            let isUnmapped = Monitor(false)
            let thread = try SystemThread(name: "unmapping") {
                munmap(UnsafeMutableRawPointer(bitPattern: place), Self.byteCount)
                isUnmapped.withLock { $0 = true }
            }
            // Another test may be quicker.
            var mapped: UnsafeMutableRawPointer?
            while mapped == nil, !isUnmapped.withLock({ $0 }) {
                mapped = Self.map(at: memory, MAP_FIXED_NOREPLACE)
            }
            if mapped != nil {
                rounds += 1
                let news = watch.look()
                #expect(news == .changing || watch.isGone(number), "\(news)")
            }
            #expect(thread.join(until: .after(.seconds(60))))
            watch.remove(number)
            if mapped != nil { munmap(mapped, Self.byteCount) }
        }
        #expect(rounds > 0)
    }

    /// Before it is known what goes, it is known that something does.
    @Test func saysThatSomethingGoes() throws {
        var seen = 0
        for _ in 0..<20 {
            // Nobody else reads of it.
            let ranges = try WatchedRanges(capacity: 1)
            let memory = try Self.touched()
            let number = try #require(ranges.add(Self.bytes(memory)))
            let place = UInt(bitPattern: memory)
            let thread = try SystemThread(name: "unmapping") {
                munmap(UnsafeMutableRawPointer(bitPattern: place), Self.byteCount)
            }
            let deadline = Deadline.after(.seconds(60))
            while !ranges.isGone(number), !deadline.hasPassed {
                // Nearly always: it may begin to go between the two questions to the kernel.
                if ranges.look() == nil, ranges.isGone(number) { seen += 1 }
            }
            #expect(thread.join(until: deadline))
            #expect(ranges.look() == .gone)
        }
        #expect(seen > 0)
    }

    /// Whoever frees memory goes on, whether anybody looks or not, and when the watch ends meanwhile.
    @Test(arguments: [false, true]) func nobodyHangs(stopsFirst: Bool) throws {
        let watch = try UserfaultWatch()
        let byteCount = 1 << 16
        let places = try (0..<200).map { _ in
            let memory = try Self.touched(byteCount)
            _ = try #require(watch.add(UnsafeRawBufferPointer(start: memory, count: byteCount)))
            return UInt(bitPattern: memory)
        }
        let threads = try (0..<2).map { part in
            try SystemThread(name: "unmapping") {
                for (index, place) in places.enumerated() where index % 2 == part {
                    munmap(UnsafeMutableRawPointer(bitPattern: place), byteCount)
                }
            }
        }
        if stopsFirst { watch.stop() }
        for thread in threads { #expect(thread.join(until: .after(.seconds(60)))) }
        if !stopsFirst { #expect(watch.look() == .gone) }
    }

    /// A child has the descriptor too, and keeps it open: nobody may wait for a watch that has ended.
    @Test func endsThoughAChildHasTheDescriptor() throws {
        let watch = try UserfaultWatch()
        let areas = try (0..<3).map { _ in try Self.touched() }
        for memory in areas { _ = try #require(watch.add(Self.bytes(memory))) }
        // Of one a part has gone already, of one it is empty.
        munmap(areas[0] + 5 * Self.page, Self.page)
        madvise(areas[1], Self.page, Int32(MADV_DONTNEED))
        let copies = try Self.descriptors(of: "anon_inode:[userfaultfd]").map { dup($0) }
        defer { for copy in copies { close(copy) } }
        #expect(!copies.isEmpty)
        watch.stop()
        let places = areas.map { UInt(bitPattern: $0) }
        let thread = try SystemThread(name: "unmapping") {
            munmap(UnsafeMutableRawPointer(bitPattern: places[0]), 5 * Self.page)
            munmap(
                UnsafeMutableRawPointer(bitPattern: places[0])! + 6 * Self.page,
                Self.byteCount - 6 * Self.page)
            for place in places[1...] {
                munmap(UnsafeMutableRawPointer(bitPattern: place), Self.byteCount)
            }
        }
        #expect(thread.join(until: .after(.seconds(60))))
    }

    /// This process's descriptors of a kind.
    private static func descriptors(of kind: String) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
            .filter {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == kind
            }
    }

    /// A range that has gone is forgotten, and what another watch has in its place by then is still watched.
    @Test func leavesOthersAlone() throws {
        let (watch, other) = (try UserfaultWatch(), try UserfaultWatch())
        let memory = try Self.touched()
        defer { munmap(memory, Self.byteCount) }
        let number = try #require(watch.add(Self.bytes(memory)))
        #expect(Self.map(at: memory, MAP_FIXED) == memory)
        memset(memory, 1, Self.byteCount)
        let otherNumber = try #require(other.add(Self.bytes(memory)))
        watch.remove(number)
        #expect(other.look() == .unchanged)
        madvise(memory, Self.page, Int32(MADV_DONTNEED))
        #expect(other.look() == .gone && other.isGone(otherNumber))
    }

    /// Once it is stopped nothing is watched, and all goes as if there never had been anything.
    @Test func stopsForGood() throws {
        let watch = try UserfaultWatch()
        let memory = try Self.touched()
        let number = try #require(watch.add(Self.bytes(memory)))
        watch.stop()
        watch.stop()
        munmap(memory, Self.byteCount)
        #expect(watch.look() == .unchanged)
        watch.remove(number)
        let more = try Self.touched()
        defer { munmap(more, Self.byteCount) }
        #expect(watch.add(Self.bytes(more)) == nil)
    }

    /// Moves memory to a place, and returns that.
    private static func move(
        _ memory: UnsafeMutableRawPointer, _ byteCount: Int, to place: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer? {
        // Swift does not import a function whose number of arguments varies.
        typealias Move =
            @convention(c) (
                UnsafeMutableRawPointer, Int, Int, Int32, UnsafeMutableRawPointer
            ) -> UnsafeMutableRawPointer?
        let mayMoveToThere: Int32 = 3
        return unsafeBitCast(dlsym(nil, "mremap"), to: Move.self)(
            memory, byteCount, byteCount, mayMoveToThere, place)
    }
}
