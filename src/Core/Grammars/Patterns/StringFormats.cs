using System.Collections.Frozen;
using OllamaMax.Grammars.Automata;

namespace OllamaMax.Grammars.Patterns;

/// <summary>
/// JSON Schema's formats (draft 2020-12, validation, section 7.3) as patterns. Each allows less than its definition where validators
/// differ or a model would only go astray: what a pattern allows, every validator accepts.
/// </summary>
internal static class StringFormats
{
    // Years that no offset moves out of the four digits.
    private const string Year = "[1-8][0-9]{3}";
    private const string LeapYear = "[1-8][0-9](?:0[48]|[2468][048]|[13579][26])|[2468][048]00|[1357][26]00";
    private const string Date = $"(?:(?:{Year})-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
        + $"|02-(?:0[1-9]|1[0-9]|2[0-8]))|(?:{LeapYear})-02-29)";
    // No leap second, which needs the right day; offsets as they are in use.
    private const string Time = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,6})?(?:Z|[-+](?:0[0-9]|1[0-3]):[0-5][0-9])";
    private const string Clock = "(?:[0-9]{1,2}H(?:[0-9]{1,2}M(?:[0-9]{1,2}S)?)?|[0-9]{1,2}M(?:[0-9]{1,2}S)?|[0-9]{1,2}S)";
    private const string Label = "[A-Za-z0-9]{1,16}(?:-[A-Za-z0-9]{1,16}){0,2}";
    private const string Domain = $"(?:{Label}\\.){{1,3}}[A-Za-z]{{2,20}}";
    private const string Hostname = $"(?:{Label}\\.){{0,3}}[A-Za-z]{{2,20}}";
    private const string Byte = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private const string Word = "[0-9A-Fa-f]{1,4}";
    private const string Hex = "[0-9A-Fa-f]";
    private const string UriCharacter = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
    private const string Pointer = "(?:/(?:[^~/]|~[01])*)*";

    private static readonly FrozenDictionary<string, Lazy<Automaton>> s_formats = new Dictionary<string, string>
    {
        ["date"] = Date,
        ["time"] = Time,
        ["date-time"] = $"{Date}T{Time}",
        // Units follow one another without a gap, as RFC 3339's appendix A asks.
        ["duration"] = "P(?:[0-9]{1,4}W|(?:[0-9]{1,4}Y(?:[0-9]{1,2}M(?:[0-9]{1,3}D)?)?|[0-9]{1,2}M(?:[0-9]{1,3}D)?|[0-9]{1,3}D)"
            + $"(?:T{Clock})?|T{Clock})",
        ["email"] = $"[A-Za-z0-9_+-]{{1,20}}(?:\\.[A-Za-z0-9_+-]{{1,20}}){{0,2}}@{Domain}",
        ["hostname"] = Hostname,
        ["ipv4"] = $"(?:{Byte}\\.){{3}}{Byte}",
        ["ipv6"] = $"(?:{Word}:){{7}}{Word}|(?:{Word}:){{1,7}}:|(?:{Word}:){{1,6}}:{Word}|(?:{Word}:){{1,5}}(?::{Word}){{2}}"
            + $"|(?:{Word}:){{1,4}}(?::{Word}){{3}}|(?:{Word}:){{1,3}}(?::{Word}){{4}}|(?:{Word}:){{1,2}}(?::{Word}){{5}}|:(?::{Word}){{1,7}}|::",
        ["uuid"] = $"{Hex}{{8}}-{Hex}{{4}}-{Hex}{{4}}-{Hex}{{4}}-{Hex}{{12}}",
        // Bounded, so that a length of 2,083, which generators of schemas like to add, leaves nothing out.
        ["uri"] = $"[a-z][a-z0-9]{{1,9}}://{Hostname}(?::[1-9][0-9]{{0,3}})?(?:/{UriCharacter}{{0,20}}){{0,5}}"
            + $"(?:\\?(?:{UriCharacter}|[/?]){{0,50}})?(?:#(?:{UriCharacter}|[/?]){{0,20}})?",
        ["json-pointer"] = Pointer,
        ["relative-json-pointer"] = $"(?:0|[1-9][0-9]{{0,3}})(?:#|{Pointer})",
    }.ToFrozenDictionary(format => format.Key, format => new Lazy<Automaton>(() => PatternAutomaton.Of($"^(?:{format.Value})$")), StringComparer.Ordinal);

    public static string Names { get; } = string.Join(", ", s_formats.Keys.Order(StringComparer.Ordinal));

    /// <returns>Null for a format that is not supported.</returns>
    public static Automaton? Find(string format) => format switch
    {
        // What is one of the narrower kind is one of the wider too.
        "idn-email" => Find("email"),
        "idn-hostname" => Find("hostname"),
        "iri" or "uri-reference" or "iri-reference" => Find("uri"),
        _ => s_formats.TryGetValue(format, out Lazy<Automaton>? automaton) ? automaton.Value : null,
    };
}
