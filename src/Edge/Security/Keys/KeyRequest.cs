using System.Globalization;
using OllamaMax.Edge.Http;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Keys;

/// <summary>The body of <c>POST /keys</c>.</summary>
internal sealed record KeyRequest(string Name, string Tenant, Role Role, IReadOnlyList<string>? Models, DateTimeOffset? ExpiresAt, UsageLimits Limits)
{
    private const int LongestName = 100;
    private const int LongestTenant = 64;
    private const int MostModels = 1000;

    private static readonly string[] Fields = ["name", "role", "tenant", "models", "expires_at", "limits"];

    /// <param name="tenant">Where the body names none.</param>
    public static Result<KeyRequest> Read(JsonFields fields, string tenant, DateTimeOffset now)
    {
        // One that is mistyped would leave a key that may more than it was meant to.
        fields.Only(Fields);
        string? name = ReadName(fields);
        string given = fields.Text("tenant") ?? tenant;
        if (!IsTenant(given))
            fields.Errors.Add("tenant", $"must be 1 to {LongestTenant} letters, digits, '-', '_' and '.'");
        Role? role = Roles.Find(fields.Text("role") ?? Roles.NameOf(Role.User));
        if (role is null)
            fields.Errors.Add("role", $"must be one of {string.Join(", ", Roles.Names)}");
        IReadOnlyList<string>? models = ReadModels(fields);
        if (models is not null && role is { } known && ModelsError(known) is { } managing)
            fields.Errors.Add(managing);
        DateTimeOffset? expiresAt = ReadExpiry(fields, now);
        UsageLimits limits = fields.Object("limits") is { } numbers ? ReadLimits(numbers) : UsageLimits.None;
        return fields.Errors.First is { } error ? error : new KeyRequest(name!, given, role!.Value, models, expiresAt, limits);
    }

    /// <summary>Whether it can stand in configuration, in paths and in lists.</summary>
    public static bool IsTenant(string text) =>
        text is { Length: > 0 and <= LongestTenant } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') && text.Trim('.').Length > 0;

    public static string? ReadName(JsonFields fields)
    {
        string? name = fields.Text("name");
        if (name is not { Length: > 0 and <= LongestName } || name.Any(char.IsControl))
            fields.Errors.Add("name", $"must be 1 to {LongestName} characters");
        return name;
    }

    /// <summary>Who can copy a model onto another name, or pull one, is not held by a list of names.</summary>
    public static ApiError? ModelsError(Role role) => (Roles.PermissionsOf(role) & Permissions.ManageModels) == 0
        ? null
        : ApiError.BadRequest($"models cannot be given to a key of role {Roles.NameOf(role)}, which manages models") with { Field = "models" };

    /// <summary>Null: all.</summary>
    public static IReadOnlyList<string>? ReadModels(JsonFields fields)
    {
        if (!fields.IsSet("models"))
            return null;
        IReadOnlyList<string> models = fields.Texts("models");
        if (models.Count > MostModels)
            fields.Errors.Add("models", $"must be at most {MostModels} names");
        foreach (string model in models)
        {
            if (ModelAllowList.FindError(model) is { } error)
                fields.Errors.Add(ApiError.BadRequest($"models: {error}") with { Field = "models" });
        }
        return models;
    }

    /// <summary>Null: never.</summary>
    public static DateTimeOffset? ReadExpiry(JsonFields fields, DateTimeOffset now)
    {
        if (fields.Text("expires_at") is not { } text)
            return null;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at) && at > now)
            return at.ToUniversalTime();
        fields.Errors.Add("expires_at", "must be a time to come, such as 2030-01-31T12:00:00Z");
        return null;
    }

    public static UsageLimits ReadLimits(JsonFields fields)
    {
        fields.Only("requests_per_minute", "tokens_per_minute", "tokens_per_day", "tokens_per_month", "concurrent");
        return new()
        {
            RequestsPerMinute = (int?)fields.Integer("requests_per_minute", 0),
            TokensPerMinute = fields.Integer("tokens_per_minute", 0, long.MaxValue),
            TokensPerDay = fields.Integer("tokens_per_day", 0, long.MaxValue),
            TokensPerMonth = fields.Integer("tokens_per_month", 0, long.MaxValue),
            Concurrent = (int?)fields.Integer("concurrent", 0),
        };
    }
}
