using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OllamaMax.Cli.Commands;

/// <summary>
/// What is said of a key when it is made and when it is changed: models, expiry and limits. What no option names is left out, and what is taken away is null, as <c>PATCH /keys/{id}</c> has it; whether it can be, the
/// edge says.
/// </summary>
internal static class KeyFields
{
    private const string All = "*";
    private const string Never = "never";
    private const string None = "none";

    private static readonly Option<string[]> Models = new("--model")
    {
        Description = "A model that it may use, or a beginning that ends in *; repeatable; '*' alone is all of them", DefaultValueFactory = _ => [],
    };

    private static readonly Option<string?> Days = Number("--days", Never, "How many days it is good from now on", isWhole: false);

    /// <summary>By the field's name in <c>limits</c>, and what lists say after the number.</summary>
    private static readonly (string Field, Option<string?> Option, string Unit)[] Limits =
    [
        Limit("requests_per_minute", "Inference requests in a minute", " requests/min"),
        Limit("tokens_per_minute", "Tokens of prompts and answers in a minute", " tokens/min"),
        Limit("tokens_per_day", "Tokens in a day of UTC", " tokens/day"),
        Limit("tokens_per_month", "Tokens in a calendar month of UTC", " tokens/month"),
        Limit("concurrent", "Inference requests at a time", " at a time"),
    ];

    public static IReadOnlyList<Option> Options { get; } = [Models, Days, .. Limits.Select(limit => limit.Option)];

    /// <summary>Puts what options say into a request's body.</summary>
    public static void Read(ParseResult parsed, JsonObject body, TimeProvider time)
    {
        if (parsed.GetValue(Models) is { Length: > 0 } models)
            body["models"] = models is [All] ? null : new JsonArray([.. models.Select(model => (JsonNode)model)]);
        if (parsed.GetValue(Days) is { } days)
            body["expires_at"] = days == Never ? null : time.GetUtcNow().AddDays(Parse(days)).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        JsonObject limits = [];
        foreach (var (field, option, _) in Limits)
        {
            if (parsed.GetValue(option) is { } text)
                limits[field] = text == None ? null : (JsonNode)(long)Parse(text);
        }
        if (limits.Count > 0)
            body["limits"] = limits;
    }

    /// <summary>The models that a key may use, as lists have them.</summary>
    public static string ShownModels(JsonElement key) => key.Member("models") switch
    {
        { ValueKind: not JsonValueKind.Array } => "all",
        var models when models.GetArrayLength() == 0 => "none",
        _ => string.Join(", ", key.Items("models")),
    };

    /// <summary>The limits of a key, as lists have them; "" for none.</summary>
    public static string ShownLimits(JsonElement key) =>
        string.Join(", ", Limits.Where(limit => key.Member("limits").Number(limit.Field) is not null).Select(limit => key.Member("limits").Shown(limit.Field) + limit.Unit));

    private static (string Field, Option<string?> Option, string Unit) Limit(string field, string description, string unit) =>
        (field, Number($"--{field.Replace('_', '-')}", None, description, isWhole: true), unit);

    private static Option<string?> Number(string name, string otherwise, string description, bool isWhole)
    {
        Option<string?> option = new(name) { Description = $"{description}; {otherwise} takes it away", HelpName = $"N|{otherwise}" };
        option.CompletionSources.Add(otherwise);
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && text != otherwise && !(isWhole ? long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _) : Parse(text) > 0))
                result.AddError($"{name} must be {(isWhole ? "a whole number" : "a number above 0")}, or {otherwise}");
        });
        return option;
    }

    private static double Parse(string text) => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) ? number : double.NaN;
}
