using System.Text;
using CsCheck;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;

namespace OllamaMax.Core.Tests.Jobs.Owning;

/// <summary>A job that asks for it is told of each token of its answer, once and in order, however the tokens come.</summary>
public sealed class OwnerLogprobsTests
{
    private const string Text = "ab€<stop>é😀 \u0301x";

    private static readonly Gen<byte[][]> Pieces = Gen.Select(Gen.Int[0, 4].Array[1, 40], Gen.Int[0, Text.Length - 1].Array[0, 30]).Select(static (lengths, start) =>
    {
        byte[] bytes = Encoding.UTF8.GetBytes(string.Concat(start.Select(static at => Text[at..Math.Min(Text.Length, at + 5)])));
        List<byte[]> pieces = [];
        int next = 0;
        foreach (int length in lengths)
        {
            int end = Math.Min(bytes.Length, next + length);
            pieces.Add(bytes[next..end]);
            next = end;
        }
        return pieces.ToArray();
    });

    [Fact]
    public void Received_AnyPieces_EachTokenOfTheAnswerOnceAndNoneOfAStopString() =>
        Gen.Select(Pieces, Gen.Int[1, 5].Array[1, 20], Gen.Bool, Gen.Int[0, 40]).Sample(static (pieces, sizes, stops, takeover) =>
        {
            IReadOnlyList<string> stop = stops ? ["<stop>", "<s", "x"] : [];

            List<JobOutput> outputs = Run(pieces, sizes, stop, takeover, top: 2);

            JobOutput.Delta[] deltas = [.. outputs.OfType<JobOutput.Delta>()];
            TokenText[] reported = [.. deltas.SelectMany(static delta => delta.Logprobs)];
            string text = string.Concat(deltas.Select(static delta => delta.Text));
            string whole = Encoding.UTF8.GetString([.. pieces.SelectMany(static piece => piece)]);

            // In order, without a gap, with their own bytes and numbers.
            for (int i = 0; i < reported.Length; i++)
            {
                reported[i].Token.ShouldBe(i);
                reported[i].Piece.ShouldBe(pieces[i]);
                reported[i].Logprobs.Logprob.ShouldBe(-i);
            }
            bool isStopped = text.Length < whole.Length;
            if (!isStopped)
                reported.Length.ShouldBe(pieces.Length);
            // As many as fit whole into the text, no more.
            reported.Length.ShouldBe(WholeTokens(pieces, text, isStopped));
            outputs[^1].ShouldBeOfType<JobOutput.Finished>();
        });

    [Fact]
    public void Received_HeldBackText_ComesWithItsTokens()
    {
        List<JobOutput> outputs = Run([.. "a|<s|to|ld|<stop>|b".Split('|').Select(Encoding.UTF8.GetBytes)], [1], ["<stop>"], takeover: 100, top: 0);

        outputs.OfType<JobOutput.Delta>().Select(static delta => $"{delta.Text}:{string.Join(',', delta.Logprobs.Select(static token => token.Token))}")
            .ShouldBe(["a:0", "<stold:1,2,3"]);
    }

    [Fact]
    public void Received_NotAskedFor_NothingIsSaid() =>
        Run([[65], [66]], [1], [], takeover: 100, top: null).OfType<JobOutput.Delta>().ShouldAllBe(static delta => delta.Logprobs.Count == 0);

    // By decoding each beginning anew: nothing of what is tested.
    private static int WholeTokens(byte[][] pieces, string text, bool isStopped)
    {
        byte[] answer = Encoding.UTF8.GetBytes(text);
        int tokens = 0, bytes = 0;
        foreach (byte[] piece in pieces)
        {
            bytes += piece.Length;
            if (isStopped && bytes > answer.Length)
                break;
            tokens++;
        }
        return tokens;
    }

    private static List<JobOutput> Run(byte[][] pieces, int[] sizes, IReadOnlyList<string> stop, int takeover, int? top)
    {
        int nonces = 0, next = 0;
        List<JobOutput> outputs = [];
        JobOwner owner = new(Job(stop, top), new OwnerOptions(), () => $"n{++nonces}", TimeSpan.Zero);
        void Do(Action happening)
        {
            happening();
            outputs.AddRange(owner.TakeEffects().OfType<OwnerEffect.Emit>().Select(static emit => emit.Output));
        }

        Do(owner.Start);
        Do(() => owner.Placed("w1", TimeSpan.Zero));
        Do(() => owner.Prepared("n1", TimeSpan.Zero));
        Do(() => owner.Answered("w1", "n1", accepted: true, TimeSpan.Zero));
        for (int i = 0; next < pieces.Length && !owner.HasEnded; i++)
        {
            int count = Math.Min(sizes[i % sizes.Length], pieces.Length - next);
            // A message that comes twice, and tokens that the next one repeats.
            Chunk chunk = Chunk(pieces, Math.Max(0, next - i % 3), next + count, last: false);
            Do(() => owner.Received(owner.Attempt!.WorkerId, owner.Attempt.Nonce, chunk, TimeSpan.Zero));
            if (i % 4 == 0 && !owner.HasEnded)
                Do(() => owner.Received(owner.Attempt!.WorkerId, owner.Attempt.Nonce, chunk, TimeSpan.Zero));
            next += count;
            if (i == takeover && !owner.HasEnded)
                TakeOver(owner, Do, next);
        }
        if (!owner.HasEnded)
            Do(() => owner.Received(owner.Attempt!.WorkerId, owner.Attempt.Nonce, Chunk(pieces, next, next, last: true), TimeSpan.Zero));
        return outputs;
    }

    private static void TakeOver(JobOwner owner, Action<Action> @do, int next)
    {
        Chunk handedBack = new(next, [], [], [], End: new AttemptEnd { Reason = EndReason.HandedBack });
        @do(() => owner.Received(owner.Attempt!.WorkerId, owner.Attempt.Nonce, handedBack, TimeSpan.Zero));
        @do(() => owner.Placed("w2", TimeSpan.Zero));
        @do(() => owner.Prepared("n2", TimeSpan.Zero));
        @do(() => owner.Answered("w2", owner.Attempt!.Nonce, accepted: true, TimeSpan.Zero));
    }

    // A token's id is its index; so is its probability, but for the sign.
    private static Chunk Chunk(byte[][] pieces, int from, int to, bool last) => new(
        from,
        [.. Enumerable.Range(from, to - from)],
        [.. pieces[from..to].Select(static piece => piece.Length)],
        [.. pieces[from..to].SelectMany(static piece => piece)],
        End: last ? new AttemptEnd { Reason = EndReason.Stop } : null,
        Logprobs: [.. Enumerable.Range(from, to - from).Select(static i => new TokenLogprobs(-i, []))]);

    private static Job Job(IReadOnlyList<string> stop, int? top) => new()
    {
        Id = "job",
        RequestId = "request",
        Tenant = "tenant",
        Model = "sha256:" + new string('0', 64),
        Prompt = "prompt",
        Options = new InferenceOptions { TopLogprobs = top },
        Seed = 1,
        Stop = stop,
        Deadline = TimeSpan.FromMinutes(1),
    };
}
