using System.Text.Json;
using OllamaMax.TestKit.Simulation;

namespace OllamaMax.Core.Tests.Cluster.Elections;

/// <summary>All writes of leader-owned documents in the order in which storage took them, and what must never be among them.</summary>
internal sealed class ElectionHistory
{
    /// <summary>Behind the name of a writer who puts a wish, for which nobody need lead.</summary>
    public const string Wish = " wishes";

    private readonly Dictionary<string, (long Epoch, long Version, string? Leader)> _standing = [];
    private readonly Dictionary<long, string?> _leaders = [];
    private readonly IReadOnlyList<string> _documents;

    /// <param name="documents">Names of all.</param>
    public ElectionHistory(SimulatedStorage storage, IReadOnlyList<string> documents)
    {
        _documents = documents;
        storage.Written += Check;
    }

    public int Writes { get; private set; }

    public int Epochs => _leaders.Count;

    public List<string> Violations { get; } = [];

    public IEnumerable<long> StandingEpochs => _documents.Select(name => _standing.GetValueOrDefault(name).Epoch);

    private void Check(string name, ReadOnlyMemory<byte> content, string writer)
    {
        Writes++;
        using JsonDocument json = JsonDocument.Parse(content);
        JsonElement root = json.RootElement;
        long epoch = root.GetProperty("epoch").GetInt64();
        long version = root.GetProperty("version").GetInt64();
        string? leader = root.TryGetProperty("leader", out JsonElement text) ? text.GetString() : null;
        var before = _standing.GetValueOrDefault(name);
        bool isWish = writer.EndsWith(Wish, StringComparison.Ordinal);
        bool isTakeOver = epoch != before.Epoch;

        Never(epoch < before.Epoch, $"{writer} writes {name} in epoch {epoch} after {before.Epoch}");
        Never(version != before.Version + 1, $"{writer} writes version {version} of {name} after {before.Version}");
        Never(isWish && (isTakeOver || leader != before.Leader), $"{writer} changes the leader of {name}");
        Never(!isWish && leader != writer, $"{writer} writes {name} in the epoch of {leader}");
        Never(!_leaders.TryAdd(epoch, leader) && _leaders[epoch] != leader, $"epoch {epoch} belongs to {_leaders[epoch]} and to {leader}");
        Never(
            !isWish && !isTakeOver && _documents.Any(document => _standing.GetValueOrDefault(document).Epoch < epoch),
            $"{writer} acts in epoch {epoch} before every document stands in it");
        _standing[name] = (epoch, version, leader);

        void Never(bool happens, string what)
        {
            if (happens)
                Violations.Add(what);
        }
    }
}
