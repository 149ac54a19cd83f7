using System.Text;
using OllamaMax.Orchestrations;
using OllamaMax.Security;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>What a vote has agreed on is an answer, and stands in the orchestration's history: there it is encrypted where there is a key.</summary>
internal sealed class VoteSeals(ContentKeys keys)
{
    private const string Place = "vote";

    public VoteOutcome Seal(string strategyId, VoteOutcome vote) => vote.Value is { } value && keys.New(ContentKind.Strategy, strategyId) is { } seal
        ? vote with { Value = null, Sealed = new(seal.KeyId, seal.Seal(Place, Encoding.UTF8.GetBytes(value))) }
        : vote;

    /// <exception cref="ContentKeyException">Its key is not known here.</exception>
    public VoteOutcome Open(string strategyId, VoteOutcome vote)
    {
        if (vote.Sealed is not { } content)
            return vote;
        byte[] value = keys.Of(content.Key, ContentKind.Strategy, strategyId).Open(Place, content.Content)
            ?? throw new InvalidDataException($"the vote of strategy {strategyId} does not open with content key '{content.Key}'");
        return vote with { Value = Encoding.UTF8.GetString(value), Sealed = null };
    }
}
