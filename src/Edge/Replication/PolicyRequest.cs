using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Replication;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Replication;

/// <summary>
/// Reads a policy: <c>min_replicas</c>, <c>max_replicas</c>, <c>labels</c>, <c>excluded_labels</c>, <c>preferred_labels</c>, <c>warm</c>, <c>pin</c>, <c>priority</c>, each of which
/// may be left out.
/// </summary>
internal static class PolicyRequest
{
    public static ValueTask<Result<ModelPolicy>> ReadAsync(HttpContext context, RequestBodyReader bodies) => JsonRequest.ReadAsync<ModelPolicy>(context, bodies, fields =>
    {
        fields.Only("min_replicas", "max_replicas", "labels", "excluded_labels", "preferred_labels", "warm", "pin", "priority");
        ModelPolicy policy = Read(fields);
        if (policy.MaxReplicas < policy.MinReplicas)
            fields.Errors.Add("max_replicas", "must not be less than min_replicas");
        if (policy is { Warm: true, MinReplicas: 0 })
            fields.Errors.Add("warm", "needs min_replicas: so many copies are kept in memory");
        return fields.Errors.First is { } first ? first : policy;
    });

    private static ModelPolicy Read(JsonFields fields) => new()
    {
        MinReplicas = (int)(fields.Integer("min_replicas", 0, ModelPolicy.MostReplicas) ?? 0),
        MaxReplicas = (int?)fields.Integer("max_replicas", 0, ModelPolicy.MostReplicas),
        Labels = fields.Object("labels") is { } labels ? ReadLabels(labels) : new Dictionary<string, string>(),
        ExcludedLabels = ReadChoices(fields, "excluded_labels"),
        PreferredLabels = ReadChoices(fields, "preferred_labels"),
        Warm = fields.Flag("warm") ?? false,
        Pin = fields.Flag("pin") ?? false,
        Priority = (int)(fields.Integer("priority", 0, ModelPolicy.MostPriority) ?? 0),
    };

    private static Dictionary<string, string> ReadLabels(JsonFields labels)
    {
        Dictionary<string, string> read = new(StringComparer.OrdinalIgnoreCase);
        foreach (string key in labels.Names())
        {
            if (labels.Text(key) is not { } value)
                labels.Errors.Add("labels", "must have strings as values");
            else if (IsLabel(labels, "labels", key, value))
                read[key.Trim()] = value.Trim();
        }
        CheckCount(labels, "labels", read.Count);
        return read;
    }

    /// <summary>Of each label a value, or several.</summary>
    private static Dictionary<string, IReadOnlyList<string>>? ReadChoices(JsonFields fields, string name)
    {
        if (fields.Object(name) is not { } labels)
            return null;
        Dictionary<string, IReadOnlyList<string>> read = new(StringComparer.OrdinalIgnoreCase);
        foreach (string key in labels.Names())
        {
            IReadOnlyList<string> values = labels.Find(key) is { ValueKind: JsonValueKind.String } ? [labels.Text(key) ?? ""] : labels.Texts(key);
            if (values.Count is 0 or > WorkerLabels.Most)
                labels.Errors.Add(labels.PathOf(key), $"must be a value, or a list of 1 to {WorkerLabels.Most}");
            if (values.All(value => IsLabel(labels, name, key, value)))
                read[key.Trim()] = [.. values.Select(value => value.Trim())];
        }
        CheckCount(labels, name, read.Count);
        return read;
    }

    private static bool IsLabel(JsonFields labels, string name, string key, string value)
    {
        bool isLabel = WorkerLabels.TryParse($"{key}={value}", out _, out string? error);
        if (!isLabel)
            labels.Errors.Add(name, $"has one that cannot be: {error}");
        return isLabel;
    }

    private static void CheckCount(JsonFields labels, string name, int count)
    {
        if (count > WorkerLabels.Most)
            labels.Errors.Add(name, $"must be at most {WorkerLabels.Most}");
    }
}
