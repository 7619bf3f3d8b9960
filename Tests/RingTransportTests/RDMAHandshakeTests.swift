import RingTransport
import Testing

@testable import RingTransportRDMA

/// What the two ends say to each other when they connect, byte for byte.
@Suite struct RDMAHandshakeTests {
    private static let request = RDMAHandshake.Request(
        hello: LinkHandshake.Hello(
            identifier: LinkIdentifier(communicator: 7, epoch: 1, channel: 65_534), worldSize: 5, from: 3,
            to: 2,
            nonce: (0..<16).map { UInt8($0) }), mtu: 1024)
    private static let ring = RingGrant(
        address: 0x1122_3344_5566_7788, key: 0x99AA_BBCC, shape: RingShape(slotSize: 4096, slotCount: 256))

    private static func answer(_ verdict: LinkHandshake.Verdict) -> RDMAHandshake.Answer {
        RDMAHandshake.Answer(
            verdict: verdict, nonce: [UInt8](repeating: 5, count: 16),
            grant: verdict == .welcome ? RDMAHandshake.Answer.Grant(ring: ring, mtu: 2048) : nil,
            proof: [UInt8](repeating: 6, count: 32))
    }

    /// They fit into what the connection manager carries, which adds zeros.
    @Test func requestsSurvivePadding() {
        let bytes = Self.request.bytes
        #expect(bytes.count == 50)
        #expect(RDMAHandshake.Request(bytes + [0, 0, 0, 0, 0, 0]) == Self.request)
        for count in 0..<bytes.count { #expect(RDMAHandshake.Request(Array(bytes[..<count])) == nil) }
    }

    @Test(arguments: [LinkHandshake.Verdict.welcome, .wrongRank, .wrongWorldSize, .reachable])
    func answersSurvivePadding(verdict: LinkHandshake.Verdict) {
        let answer = Self.answer(verdict)
        let bytes = answer.bytes
        #expect(bytes.count == (verdict == .welcome ? 74 : 52))
        #expect(RDMAHandshake.Answer(bytes + [UInt8](repeating: 0, count: 90)) == answer)
        for count in 0..<bytes.count { #expect(RDMAHandshake.Answer(Array(bytes[..<count])) == nil) }
    }

    @Test func confirmationsSurvive() {
        let confirmation = RDMAHandshake.Confirmation(
            proof: [UInt8](repeating: 9, count: 32), ring: Self.ring)
        #expect(confirmation.bytes.count == 52)
        #expect(RDMAHandshake.Confirmation(confirmation.bytes) == confirmation)
        #expect(RDMAHandshake.Confirmation(confirmation.bytes + [0]) == nil)
    }

    @Test func aGrantsLayoutIsTheProtocols() {
        #expect(
            Self.ring.bytes == [
                0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0xCC, 0xBB, 0xAA, 0x99, 0, 16, 0, 0, 0, 1, 0,
                0,
            ])
        #expect(ImmediateValue.data(byteCount: 5, credit: 3).rawValue == 3 << 23 | 5)
        #expect(ImmediateValue.credit(64).rawValue == 0x8000_0040)
        #expect(ImmediateValue.end.rawValue == 0xC000_0000)
    }

    /// Whatever is changed on the way makes another transcript, which the proofs do not fit.
    @Test func transcriptsCoverEverything() {
        let answer = Self.answer(.welcome)
        var others: [[UInt8]] = []
        var request = Self.request
        request.mtu = 512
        others.append(answer.transcript(request))
        var changed = answer
        changed.grant?.ring.key += 1
        others.append(changed.transcript(Self.request))
        changed = answer
        changed.grant?.mtu = 256
        others.append(changed.transcript(Self.request))
        changed = answer
        changed.nonce[0] = 0
        others.append(changed.transcript(Self.request))
        let transcript = answer.transcript(Self.request)
        for other in others { #expect(other != transcript) }
        #expect(
            RDMAHandshake.Confirmation.transcript(answered: transcript, ring: Self.ring)
                == transcript + Self.ring.bytes)
    }
}
