using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Security;
using OllamaMax.Storage.Security;

namespace OllamaMax.Edge.Security.Usage;

/// <summary><c>GET /usage?from&amp;to&amp;key&amp;tenant</c>: what was used, by day, key and model. Who gives out keys sees all tenants', others their own.</summary>
internal sealed class UsageEndpoints(UsageBook book, UsageStore store, TimeProvider time) : IEndpointGroup
{
    private const int MostDays = 366;
    private const string DayFormat = "yyyy-MM-dd";

    private static readonly (string, string)[] Listing =
    [
        ("from", "The first day, such as 2030-01-31; today."), ("to", "The last day; today."), ("key", "Only of the key with this id."),
        ("tenant", "Only of this tenant, for who gives out keys."),
    ];

    public void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/usage", ListAsync).WithMetadata(new RequiredPermission(Permissions.ReadUsage))
            .Describe(new(EndpointDescription.Own, "What was used, by day, key and model.") { Query = Listing, AnswerType = UsageJson.Default.UsageAnswer });

    private async Task ListAsync(HttpContext context)
    {
        IQueryCollection query = context.Request.Query;
        DateOnly today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (!TryDay(query["from"], today, out DateOnly from) || !TryDay(query["to"], today, out DateOnly to) || to < from || to.DayNumber - from.DayNumber > MostDays)
        {
            await ErrorAnswer.WriteAsync(context, ApiError.BadRequest($"from and to must be days such as 2030-01-31, in this order and not more than {MostDays} apart"));
            return;
        }
        Principal caller = RequestInfo.CallerOf(context);
        string asked = query["tenant"].ToString();
        string? tenant = !caller.May(Permissions.ManageKeys) ? caller.Tenant : asked.Length > 0 ? asked : null;
        string key = query["key"].ToString();
        await book.FlushAsync(context.RequestAborted);
        List<UsageItem> items = [];
        foreach (DayUsage usage in await store.ListAsync(from, to, tenant, context.RequestAborted))
        {
            if (key.Length == 0 || usage.Credential == key)
                items.AddRange(usage.Models.Select(model => UsageItem.Of(usage, model.Key, model.Value)));
        }
        // Whoever looks at figures is to know that some are missing.
        IReadOnlyList<string> damaged = caller.May(Permissions.ManageKeys) ? await store.ListDamagedAsync(context.RequestAborted) : [];
        await JsonAnswer.WriteAsync(context, new UsageAnswer(items) { Damaged = damaged.Count > 0 ? damaged : null }, UsageJson.Default.UsageAnswer);
    }

    private static bool TryDay(string? text, DateOnly otherwise, out DateOnly day)
    {
        day = otherwise;
        return string.IsNullOrEmpty(text) || DateOnly.TryParseExact(text, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out day);
    }
}

internal sealed record UsageAnswer(IReadOnlyList<UsageItem> Usage)
{
    /// <summary>Blobs of the container <c>keys</c> with what was damaged, of any day, and may be missing here; for who gives out keys. Left out: none.</summary>
    public IReadOnlyList<string>? Damaged { get; init; }
}

/// <param name="Day">Of UTC.</param>
/// <param name="Key">The key's id, or the subject of a token.</param>
/// <param name="Requests">Jobs that were run: a request for several answers counts each.</param>
internal sealed record UsageItem(DateOnly Day, string Tenant, string Key, string Model, long Requests, long PromptTokens, long OutputTokens)
{
    /// <summary>What the key, or the user of an issuer, was called last; left out: not known to the edge that counted.</summary>
    public string? Name { get; init; }

    public static UsageItem Of(DayUsage usage, string model, UseCount count) =>
        new(usage.Day, usage.Tenant, usage.Credential, model, count.Requests, count.PromptTokens, count.OutputTokens) { Name = usage.Name };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(UsageAnswer))]
internal sealed partial class UsageJson : JsonSerializerContext;
