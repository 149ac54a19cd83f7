<#
.SYNOPSIS
  Makes this box a worker that starts with Windows, or brings a newer version in place (docs/gpu-boxes.md).
.EXAMPLE
  $env:OLLAMAMAX_JOIN_TOKEN = 'TOKEN'; .\install.ps1 -Edge https://edge.example
.EXAMPLE
  .\install.ps1 -Update
.EXAMPLE
  .\install.ps1 -Uninstall
#>
#Requires -RunAsAdministrator
[CmdletBinding(DefaultParameterSetName = 'Install')]
param(
    # URL of the edge.
    [Parameter(ParameterSetName = 'Install', Mandatory)][ValidatePattern('^https?://[^\s"]+$')][string] $Edge,
    # Installs this version, drains the old one, starts the new one.
    [Parameter(ParameterSetName = 'Update', Mandatory)][switch] $Update,
    # Drains, stops and takes away; models and identity stay in $Data.
    [Parameter(ParameterSetName = 'Uninstall', Mandatory)][switch] $Uninstall,
    # PEM of the authority that signed the edge's certificate, where no system knows it.
    [Parameter(ParameterSetName = 'Install')][ValidateScript({ Test-Path $_ -PathType Leaf })][string] $Ca,
    # Time for requests to finish before others go on with them.
    [Parameter(ParameterSetName = 'Install')][ValidateRange(0, 3600)][int] $DrainSeconds = 120,
    # More options of `run` (docs/worker.md), in one string.
    [Parameter(ParameterSetName = 'Install')][string] $Options = '',
    # Folder of a published worker.
    [Parameter(ParameterSetName = 'Install')][Parameter(ParameterSetName = 'Update')][string] $From = $PSScriptRoot,
    [string] $Folder = "$env:ProgramFiles\OllamaMax",
    [string] $Data = "$env:ProgramData\OllamaMax"
)
$ErrorActionPreference = 'Stop'
$service = 'OllamaMaxWorker'
# Has no rights on this box but its own folder, and a name of its own there.
$account = "NT SERVICE\$service"

function Invoke-Checked([string] $Program, [string[]] $Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { throw "$Program $($Arguments -join ' ') ended with $LASTEXITCODE" }
}

# The manager waits for as long as the worker asks it to: it drains first.
function Stop-Worker {
    if (Get-Service $service -ErrorAction SilentlyContinue) { Stop-Service $service }
}

# One that ends as soon as it is started is started again and again by the manager, which tells nobody.
function Start-Worker {
    Start-Service $service
    foreach ($look in 1..5) {
        Start-Sleep -Seconds 1
        if ((Get-Service $service).Status -ne 'Running') { throw "The service $service is in place and does not run; the event log (Application, source $service) says why" }
    }
}

# Windows PowerShell does not escape quotes for other programs, so the command line goes to no sc.exe.
function Set-Worker([string] $CommandLine) {
    if (Get-Service $service -ErrorAction SilentlyContinue) {
        $changed = Get-CimInstance Win32_Service -Filter "Name='$service'" | Invoke-CimMethod -MethodName Change -Arguments @{ PathName = $CommandLine }
        if ($changed.ReturnValue -ne 0) { throw "The service $service cannot be changed (Win32_Service.Change: $($changed.ReturnValue))" }
    } else {
        New-Service -Name $service -BinaryPathName $CommandLine -DisplayName 'OllamaMax worker' | Out-Null
    }
    Invoke-Checked 'sc.exe' @('config', $service, 'start=', 'delayed-auto', 'obj=', $account)
    Invoke-Checked 'sc.exe' @('failure', $service, 'reset=', '3600', 'actions=', 'restart/5000/restart/30000/restart/60000')
    # Also where it ended by itself with an exit code, instead of crashing.
    Invoke-Checked 'sc.exe' @('failureflag', $service, '1')
    Invoke-Checked 'sc.exe' @('sidtype', $service, 'unrestricted')
}

# Files in use cannot be replaced, so each version has a folder of its own and the link is set anew.
function Add-Release {
    if (-not (Test-Path "$From\OllamaMax.GpuWorker.dll")) {
        throw "No OllamaMax.GpuWorker.dll in ${From}: dotnet publish src/GpuWorker -p:PublishProfile=Cpu (or Cuda12), and -From the folder that it names"
    }
    $release = Join-Path $Folder "releases\$((Get-Date).ToUniversalTime().ToString('yyyyMMddTHHmmss'))"
    New-Item -ItemType Directory -Force (Split-Path $release) | Out-Null
    Copy-Item -Recurse $From $release
    return $release
}

function Set-Current([string] $Release) {
    $current = Join-Path $Folder 'current'
    if (Test-Path $current) { (Get-Item $current).Delete() }
    New-Item -ItemType Junction -Path $current -Target $Release | Out-Null
    Get-ChildItem (Join-Path $Folder 'releases') -Directory | Sort-Object Name -Descending | Select-Object -Skip 2 | Remove-Item -Recurse -Force
}

switch ($PSCmdlet.ParameterSetName) {
    'Install' {
        $dotnet = (Get-Command dotnet -ErrorAction SilentlyContinue).Source
        if (-not $dotnet) { throw 'dotnet is missing: the .NET 10 runtime with ASP.NET Core' }
        $release = Add-Release
        New-Item -ItemType Directory -Force $Data | Out-Null
        $authority = @()
        if ($Ca) {
            # Where the service may read it.
            Copy-Item $Ca "$Data\ca.pem"
            $authority = @('--ca', "$Data\ca.pem")
            $Options = "--ca `"$Data\ca.pem`" $Options"
        }
        $run = "run --windows-service --data `"$Data`" --edge $Edge --drain-seconds $DrainSeconds --refused-wait 300 $Options".TrimEnd()
        # Before there is a service: wrong options, a bad token or a wrong address show here, and the service is never told the token.
        $check = Start-Process $dotnet -ArgumentList "`"$release\OllamaMax.GpuWorker.dll`" $run --check" -NoNewWindow -Wait -PassThru
        if ($check.ExitCode -ne 0) { throw 'The worker cannot be run so; nothing was changed' }
        Invoke-Checked $dotnet (@("$release\OllamaMax.GpuWorker.dll", 'join', '--edge', $Edge, '--data', $Data) + $authority)
        Stop-Worker
        Set-Current $release
        Set-Worker "`"$dotnet`" `"$Folder\current\OllamaMax.GpuWorker.dll`" $run"
        # Nobody but the service, administrators and the system reads its key. These two by their numbers: each language of Windows has its own names for them.
        Invoke-Checked 'icacls.exe' @($Data, '/inheritance:r', '/grant', "${account}:(OI)(CI)F", '*S-1-5-32-544:(OI)(CI)F', '*S-1-5-18:(OI)(CI)F', '/T', '/Q')
        if (-not [System.Diagnostics.EventLog]::SourceExists($service)) { [System.Diagnostics.EventLog]::CreateEventSource($service, 'Application') }
        Start-Worker
    }
    'Update' {
        $release = Add-Release
        Stop-Worker
        Set-Current $release
        Start-Worker
    }
    'Uninstall' {
        Stop-Worker
        Invoke-Checked 'sc.exe' @('delete', $service)
        Remove-Item -Recurse -Force $Folder
    }
}
