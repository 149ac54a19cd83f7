using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;

namespace OllamaMax.Core.Tests.Jobs.Owning;

/// <summary>How an attempt leaves off.</summary>
internal enum CutKind
{
    /// <summary>The worker says nothing more.</summary>
    Silence,

    /// <summary>It speaks, but its engine makes no step.</summary>
    Stall,

    /// <summary>It leaves, and says so.</summary>
    HandBack,

    /// <summary>It could not go on, and says so.</summary>
    Failure,
}

/// <summary>
/// A real owner and attempts that all write the same answer, each up to where it is cut off; the next one goes on from the tokens that it is
/// granted with. Whoever was cut off says more afterwards, wrong tokens all of them.
/// </summary>
internal sealed class ContinuedAnswer
{
    /// <summary>Tokens in a message; small, so that there are many, and not a divisor of anything.</summary>
    private const int MessageSize = 3;

    private static readonly OwnerOptions Options = new() { MaxLosses = int.MaxValue, MaxFailures = int.MaxValue };

    private readonly byte[][] _pieces;
    private readonly JobOwner _owner;
    private readonly List<JobOutput> _outputs = [];
    private OwnerEffect.Prepare? _grant;
    private TimeSpan _now;
    private int _workers;

    private ContinuedAnswer(byte[][] pieces, OutputParsing parsing, IReadOnlyList<string> stop)
    {
        _pieces = pieces;
        int nonces = 0;
        _owner = new JobOwner(Job(parsing, stop), Options, () => $"n{++nonces}", _now);
    }

    /// <summary>What the client gets.</summary>
    /// <param name="pieces">The answer's tokens; a token's id is its index.</param>
    /// <param name="parsing">What is taken apart.</param>
    /// <param name="stop">Strings that end the answer.</param>
    /// <param name="cuts">Tokens of the whole answer after which an attempt is cut off, in rising order.</param>
    public static ContinuedResult Of(byte[][] pieces, OutputParsing parsing, IReadOnlyList<string> stop, params IEnumerable<(int At, CutKind Kind)> cuts)
    {
        ContinuedAnswer answer = new(pieces, parsing, stop);
        answer.Do(answer._owner.Start);
        foreach ((int at, CutKind kind) in cuts)
        {
            answer.Write(at);
            answer.Cut(kind);
        }
        answer.Write(pieces.Length);
        answer.Send(answer.Chunk(pieces.Length, pieces.Length, new AttemptEnd { Reason = EndReason.Stop }));
        return answer.Result();
    }

    /// <summary>The attempt of the moment says its tokens up to <paramref name="to"/>.</summary>
    private void Write(int to)
    {
        if (_owner.HasEnded)
            return;
        // What another attempt is to go on from is exactly what came before.
        _grant!.Resume.ShouldBe(Enumerable.Range(0, _grant.Resume.Count));
        for (int next = _grant.Resume.Count; next < to; next += MessageSize)
            Send(Chunk(next, Math.Min(to, next + MessageSize)));
    }

    private void Cut(CutKind kind)
    {
        if (_owner.HasEnded)
            return;
        Attempt before = _owner.Attempt!;
        int next = _owner.Acknowledgement!.Next;
        // A message that overtook the one before it, which will never come.
        if (next + 1 < _pieces.Length)
            Do(() => _owner.Received(before.WorkerId, before.Nonce, Wrong(next + 1), _now));
        switch (kind)
        {
            case CutKind.Silence:
                _now += Options.SilenceTimeout;
                Do(() => _owner.Tick(_now, Options.SilenceTimeout));
                break;
            case CutKind.Stall:
                Do(() => _owner.Alive(before.WorkerId, before.Nonce, 7, _now));
                _now += Options.StallTimeout;
                Do(() => _owner.Alive(before.WorkerId, before.Nonce, 7, _now));
                Do(() => _owner.Tick(_now, Options.SilenceTimeout));
                break;
            default:
                EndReason reason = kind == CutKind.HandBack ? EndReason.HandedBack : EndReason.Failed;
                Do(() => _owner.Received(before.WorkerId, before.Nonce, Chunk(next, next, new AttemptEnd { Reason = reason }), _now));
                break;
        }
        _owner.Attempt.ShouldNotBe(before);
        Do(() => _owner.Received(before.WorkerId, before.Nonce, Wrong(next), _now));
        Do(() => _owner.Answered(before.WorkerId, before.Nonce, accepted: true, _now));
    }

    private void Send(Chunk chunk)
    {
        if (!_owner.HasEnded)
            Do(() => _owner.Received(_owner.Attempt!.WorkerId, _owner.Attempt.Nonce, chunk, _now));
    }

    private Chunk Chunk(int from, int to, AttemptEnd? end = null) => new(
        from,
        [.. Enumerable.Range(from, to - from)],
        [.. _pieces[from..to].Select(piece => piece.Length)],
        [.. _pieces[from..to].SelectMany(piece => piece)],
        End: end);

    private static Chunk Wrong(int index) => new(index, [-1], [5], "WRONG"u8.ToArray());

    private void Do(Action happening)
    {
        happening();
        foreach (OwnerEffect effect in _owner.TakeEffects())
        {
            switch (effect)
            {
                case OwnerEffect.Emit(var output):
                    _outputs.Add(output);
                    break;
                case OwnerEffect.Place:
                    Do(() => _owner.Placed($"w{++_workers}", _now));
                    break;
                case OwnerEffect.Enqueue:
                    Do(() => _owner.Enqueued(_owner.Put, "m", "r", _now));
                    Do(() => _owner.Claimed($"w{++_workers}", "m", "r", _now));
                    break;
                case OwnerEffect.Prepare grant:
                    _grant = grant;
                    Do(() => _owner.Prepared(grant.Attempt.Nonce, _now));
                    break;
            }
        }
    }

    private ContinuedResult Result()
    {
        JobOutput.Finished end = _outputs[^1].ShouldBeOfType<JobOutput.Finished>();
        _outputs.Count(output => output is JobOutput.Finished or JobOutput.Failed).ShouldBe(1);
        JobOutput.Delta[] deltas = [.. _outputs.OfType<JobOutput.Delta>()];
        return new(
            string.Concat(deltas.Select(delta => delta.Text)),
            string.Concat(deltas.Select(delta => delta.Thinking)),
            string.Join('|', deltas.SelectMany(delta => delta.ToolCalls).Select(call => $"{call.Name}{call.Arguments.GetRawText()}")),
            end.Statistics.Tokens,
            end.Reason);
    }

    private static Job Job(OutputParsing parsing, IReadOnlyList<string> stop) => new()
    {
        Id = "job",
        RequestId = "request",
        Tenant = "tenant",
        Model = "sha256:" + new string('0', 64),
        Prompt = "prompt",
        Options = new InferenceOptions(),
        Seed = 1,
        Stop = stop,
        Parsing = parsing,
        Deadline = TimeSpan.FromHours(10),
    };
}

/// <summary>An answer as the client has it in the end.</summary>
internal sealed record ContinuedResult(string Text, string Thinking, string Calls, int Tokens, FinishReason Reason);
