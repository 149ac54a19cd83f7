using System.Text;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;

namespace OllamaMax.Core.Tests.Jobs.Owning;

/// <summary>An owner by hand: its jobs' beginnings, the time, and all that it decided.</summary>
public abstract class OwnerByHand
{
    private int _nonces;

    private protected static OwnerOptions Options { get; } = new();

    private protected List<OwnerEffect> Effects { get; } = [];

    private protected TimeSpan Now { get; set; }

    /// <summary>Whether grants are ready as soon as they are to be made; otherwise a test says when they are.</summary>
    private protected bool PreparesAtOnce { get; set; } = true;

    private protected string Text => string.Concat(Outputs.OfType<JobOutput.Delta>().Select(delta => delta.Text));

    private protected IEnumerable<JobOutput> Outputs => Effects.OfType<OwnerEffect.Emit>().Select(emit => emit.Output);

    private protected JobOwner Start(IReadOnlyList<string>? stop = null)
    {
        var job = new Job
        {
            Id = "job",
            RequestId = "request",
            Tenant = "tenant",
            Model = "sha256:" + new string('0', 64),
            Prompt = "prompt",
            Options = new InferenceOptions(),
            Seed = 1,
            Stop = stop ?? [],
            Deadline = TimeSpan.FromMinutes(1),
        };
        var owner = new JobOwner(job, Options, () => $"n{++_nonces}", Now);
        Do(owner, owner.Start);
        return owner;
    }

    private protected JobOwner Offered(IReadOnlyList<string>? stop = null)
    {
        JobOwner owner = Start(stop);
        Do(owner, () => owner.Placed("w1", Now));
        return owner;
    }

    private protected JobOwner Running(IReadOnlyList<string>? stop = null)
    {
        JobOwner owner = Offered(stop);
        Do(owner, () => owner.Answered("w1", "n1", accepted: true, Now));
        return owner;
    }

    private protected JobOwner Queued()
    {
        JobOwner owner = Start();
        Do(owner, () => owner.Placed(null, Now));
        Do(owner, () => owner.Enqueued(owner.Put, "m1", "put-receipt", Now));
        return owner;
    }

    private protected void Tick(JobOwner owner, TimeSpan passed)
    {
        Now += passed;
        Do(owner, () => owner.Tick(Now, Options.SilenceTimeout));
    }

    private protected void Do(JobOwner owner, Action happening)
    {
        happening();
        foreach (OwnerEffect effect in owner.TakeEffects())
        {
            Effects.Add(effect);
            if (effect is OwnerEffect.Prepare(var attempt, _) && PreparesAtOnce)
                Do(owner, () => owner.Prepared(attempt.Nonce, Now));
        }
    }

    /// <summary>The same, as a server gives it: without ids.</summary>
    private protected static Chunk Forwarded(int index, params string[] pieces) =>
        Chunk(index, pieces) with { Tokens = [.. pieces.Select(_ => PieceKind.Text)] };

    /// <summary>A chunk of one token a piece; a token's id is its first character.</summary>
    private protected static Chunk Chunk(int index, params string[] pieces) => new(
        index,
        [.. pieces.Select(piece => (int)piece[0])],
        [.. pieces.Select(piece => Encoding.UTF8.GetByteCount(piece))],
        Encoding.UTF8.GetBytes(string.Concat(pieces)));
}
