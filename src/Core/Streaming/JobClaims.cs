using OllamaMax.Security;

namespace OllamaMax.Streaming;

/// <summary>
/// A worker that holds a background job's queue message asks an edge to run it: <c>POST /cluster/jobs/{id}/claim</c>, with a token that it
/// signs as for its capabilities. The same claim again is answered the same way, with fresh signatures.
/// </summary>
/// <param name="ClaimId">Drawn by the worker when it took the message.</param>
/// <param name="MessageId">The queue message that it holds.</param>
public sealed record JobClaimRequest(int Version, string WorkerId, string ClaimId, string MessageId);

/// <summary>What becomes of a claim.</summary>
/// <param name="Grant">Null without <paramref name="Later"/>: the job is over, or in other hands by another message. The one that was claimed with is to be deleted.</param>
/// <param name="Later">Not for this worker, or not now: the message is to show again after so long, whole seconds.</param>
public sealed record JobClaimAnswer(JobClaimGrant? Grant, TimeSpan? Later = null);

/// <summary>All that is needed to run one attempt of a background job. Signatures last a while; claiming again renews them.</summary>
public sealed record JobClaimGrant
{
    /// <summary>The attempt and the job. Where to go on is in the output; the reply capability leads to the job's subscribers.</summary>
    public required GrantMessage Grant { get; init; }

    /// <summary>Where the job is encrypted in storage: the key of it alone that its output is under (<see cref="ContentSeal.Key"/>), under the attempt's seal, as is <see cref="Grant"/>.</summary>
    public SealedContent? ContentKey { get; init; }

    /// <summary>The job's output, with leave to read and to append.</summary>
    public required string OutputUrl { get; init; }

    /// <summary>Where to announce the end, with leave to add.</summary>
    public required string CompletionsUrl { get; init; }

    /// <summary>The queue that the message is in, with leave to renew and delete it.</summary>
    public required string QueueUrl { get; init; }

    /// <summary>How long the signatures last from now on: clocks of different machines are never compared.</summary>
    public required TimeSpan ValidFor { get; init; }

    /// <summary>For how long the message is to be hidden, again and again while the attempt is alive; who lets it show has lost the job.</summary>
    public required TimeSpan Lease { get; init; }

    /// <summary>An engine that makes no step for this long hangs: the message is not hidden any longer.</summary>
    public required TimeSpan StallTimeout { get; init; }

    /// <summary>Somebody has subscribed: what is added to the output is sent to the job's group as well (<see cref="JobProgress"/>).</summary>
    public bool Watched { get; init; }

    public override string ToString() => Grant.JobId;
}

/// <summary>Somebody has subscribed to a background job that this worker runs.</summary>
public sealed record WatchMessage(string JobId);

/// <summary>An attempt has written its end: a message of the queue <c>completions</c>.</summary>
public sealed record JobCompletion(string JobId, int Attempt);

/// <summary>
/// What has been added to a job's output, for who has subscribed to it. Sent once it is stored, so that a later attempt never takes
/// it back; may be lost, doubled or come in any order, as everything over SignalR.
/// </summary>
/// <param name="After">Tokens of the answer before this.</param>
/// <param name="Offset">Tokens of the answer with this.</param>
/// <param name="Text">What these tokens made final: no half character, no stop string.</param>
/// <param name="Ended">The attempt has ended; <c>GET /jobs/{id}/stream</c> tells how.</param>
public sealed record JobProgress(string JobId, int Attempt, int After, int Offset, string Text, bool Ended);
