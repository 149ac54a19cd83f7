using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Replication;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Replication;

/// <summary>Reads a policy: <c>min_replicas</c>, <c>max_replicas</c>, <c>labels</c>, <c>pin</c>, <c>priority</c>, each of which may be left out.</summary>
internal static class PolicyRequest
{
    public static async Task<Result<ModelPolicy>> ReadAsync(HttpContext context, RequestBodyReader bodies)
    {
        if ((await JsonRequest.ReadAsync(context, bodies)).Failed(out ApiError? error, out JsonRequest? request))
            return error;
        using (request)
        {
            FieldErrors errors = new();
            ModelPolicy policy = Read(request.Fields(errors));
            if (policy.MaxReplicas < policy.MinReplicas)
                errors.Add("max_replicas", "must not be less than min_replicas");
            return errors.First is { } first ? first : policy;
        }
    }

    private static ModelPolicy Read(JsonFields fields) => new()
    {
        MinReplicas = (int)(fields.Integer("min_replicas", 0, ModelPolicy.MostReplicas) ?? 0),
        MaxReplicas = (int?)fields.Integer("max_replicas", 0, ModelPolicy.MostReplicas),
        Labels = fields.Object("labels") is { } labels ? ReadLabels(labels) : new Dictionary<string, string>(),
        Pin = fields.Flag("pin") ?? false,
        Priority = (int)(fields.Integer("priority", 0, ModelPolicy.MostPriority) ?? 0),
    };

    private static Dictionary<string, string> ReadLabels(JsonFields labels)
    {
        Dictionary<string, string> read = new(StringComparer.OrdinalIgnoreCase);
        foreach (string key in labels.Names())
        {
            string? error = null;
            if (labels.Text(key) is { } value && WorkerLabels.TryParse($"{key}={value}", out KeyValuePair<string, string> label, out error))
                read[label.Key] = label.Value;
            else
                labels.Errors.Add("labels", error is null ? "must have strings as values" : $"has one that cannot be: {error}");
        }
        if (read.Count > WorkerLabels.Most)
            labels.Errors.Add("labels", $"must be at most {WorkerLabels.Most}");
        return read;
    }
}
