import RingSystem
import RingTransport

// What the peer offers is fetched by RDMA reads: several are under way, and their bytes are delivered in order.
extension RDMAConnection {
    /// How much is worth fetching at once.
    static let fetchedAhead = 1 << 20

    /// What one read fetches at most: each ends with a completion that somebody may have to be woken for, and while one is
    /// under way there must be others behind it.
    private static func readSize(_ wanted: Int) -> Int { max(128 << 10, wanted / 4 & ~0xFFFF) }

    /// Begins to fetch what is next, and on offer: straight to `destination`, where its first byte belongs, if that is
    /// registered, else to a landing place. Under the lock.
    func fetch(to destination: UnsafeMutableRawBufferPointer?) {
        isReadBlocked = false
        guard ring.offered > 0, !isBroken else { return }
        let direct = destination.flatMap { finder.region(of: UnsafeRawBufferPointer($0)) }
        var ahead = reads.reduce(0) { $0 + $1.byteCount - $1.taken }
        while reads.count < readDepth {
            guard window.freeEntries > 4 else {
                isReadBlocked = true
                return
            }
            guard let place = place(direct.flatMap { _ in destination }, ahead) else { return }
            guard let offer = ring.request(atMost: place.count) else {
                if direct == nil { landing?.putBack() }
                return
            }
            if let direct {
                read(offer, to: place.baseAddress!, localKey: direct.localKey, isLanding: false)
            } else {
                read(offer, to: place.baseAddress!, localKey: landingKey, isLanding: true)
            }
            if isBroken { return }
            ahead += offer.byteCount
        }
    }

    /// Where the next read goes; nil if nowhere now.
    private func place(
        _ destination: UnsafeMutableRawBufferPointer?, _ ahead: Int
    ) -> UnsafeMutableRawBufferPointer? {
        if let destination {
            guard ahead < destination.count else { return nil }
            return UnsafeMutableRawBufferPointer(
                rebasing: destination[ahead...].prefix(Self.readSize(destination.count)))
        }
        if landing == nil {
            do throws(SystemError) {
                let made = try LandingPlace(verbs, domain: domain)
                landingKey = made.localKey
                landing = consume made
            } catch {
                breakDown(.memory(error, byteCount: LandingPlace.byteCount))
                return nil
            }
        }
        return landing!.take().map { UnsafeMutableRawBufferPointer(start: $0, count: LandingPlace.placeSize) }
    }

    private func read(_ offer: Offer, to place: UnsafeMutableRawPointer, localKey: UInt32, isLanding: Bool) {
        let (number, isSignaled) = window.post(byteCount: 0, mustSignal: true)
        do throws(SystemError) {
            try verbs.postSend(
                pair,
                SendRequest(
                    kind: .read, number: number,
                    bytes: UnsafeRawBufferPointer(start: place, count: offer.byteCount), localKey: localKey,
                    remoteAddress: offer.address, remoteKey: offer.key, isSignaled: isSignaled))
            reads.append(
                OfferedRead(number: number, target: place, byteCount: offer.byteCount, isLanding: isLanding))
        } catch { breakDown(.system(error)) }
    }

    /// The bytes next in line that have been fetched; nil if there are none. Under the lock.
    var fetchedBytes: UnsafeRawBufferPointer? {
        guard let read = reads.first, read.isDone else { return nil }
        return read.bytes
    }

    /// Takes as many of them. An offer that has been taken whole is given back at once: its owner waits for it.
    func takeFetched(_ byteCount: Int) {
        guard byteCount > 0 else { return }
        reads[0].taken += byteCount
        if reads[0].taken == reads[0].byteCount {
            if reads[0].isLanding { landing!.give() }
            reads.removeFirst()
        }
        if ring.takeFetched(byteCount) { owesCredit = true }
    }

    /// Delivers what has been fetched, if its place is there or else by a copy; how many bytes, and how many of them were
    /// copied.
    func deliverFetched(to destination: UnsafeMutableRawBufferPointer) -> (taken: Int, copied: Int) {
        var (taken, copied) = (0, 0)
        while taken < destination.count, let bytes = fetchedBytes {
            let place = UnsafeMutableRawBufferPointer(rebasing: destination[taken...].prefix(bytes.count))
            if reads[0].isLanding {
                place.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<place.count]))
                copied += place.count
            } else {
                precondition(
                    UnsafeRawPointer(place.baseAddress!) == bytes.baseAddress,
                    "a payload is asked for at another place than the one that it was fetched to")
            }
            takeFetched(place.count)
            taken += place.count
        }
        return (taken, copied)
    }
}
