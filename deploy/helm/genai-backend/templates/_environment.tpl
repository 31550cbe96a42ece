{{/* The environment of all processes. It stands in each pod, not in a ConfigMap: the migration runs before
the release's own objects are there, and a change has to replace the pods. */}}

{{- define "genai.secrets" -}}
{{- $postgres := .Values.databaseUrlInSecret | ternary "DATABASE_URL" "POSTGRES_PASSWORD" -}}
{{- $other := .Values.databaseUrlInSecret | ternary "POSTGRES_PASSWORD" "DATABASE_URL" -}}
{{- $needed := list $postgres "SECRET_KEY" "ENCRYPTION_KEYS" "MASTER_BE_API_KEY" "MASTER_AGENT_API_KEY" -}}
{{- $needed = .Values.redisUrlInSecret | ternary (append $needed "REDIS_URL") $needed -}}
{{- $optional := list $other "DATABASE_READ_URL" "SERVICE_API_KEY" "SMTP_URL" "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY" -}}
{{- dict "needed" $needed "optional" $optional | toJson -}}
{{- end }}

{{/* A value as the settings read it: Helm has every number as a float, which it would write as 1e+08. */}}
{{- define "genai.text" -}}
{{- if kindIs "slice" . -}}{{ toJson . }}
{{- else if and (kindIs "float64" .) (eq (toString .) (toString (floor .))) -}}{{ int64 . }}
{{- else -}}{{ . }}
{{- end -}}
{{- end }}

{{- define "genai.environment" -}}
{{- $settings := merge (dict) .Values.settings (dict "METRICS_HOST" "0.0.0.0") -}}
{{- if .Values.ingress.enabled -}}
{{- $settings = merge $settings (dict "AGENTS_URL" (include "genai.agentsUrl" .)) -}}
{{- end }}
- {name: AGENTS_PORT, value: "8090"}
- {name: GATEWAY_METRICS_PORT, value: "9100"}
- {name: BRIDGE_METRICS_PORT, value: "9100"}
{{- with .Values.files.url }}
- {name: FILES_URL, value: {{ . | quote }}}
{{- end }}
{{- range $name, $value := $settings }}
{{- if not (kindIs "invalid" $value) }}
- {name: {{ $name }}, value: {{ include "genai.text" $value | quote }}}
{{- end }}
{{- end }}
{{- $secrets := include "genai.secrets" . | fromJson }}
{{- range $secrets.needed }}
- {name: {{ . }}, valueFrom: {secretKeyRef: {name: {{ $.Values.existingSecret }}, key: {{ . }}}}}
{{- end }}
{{- range $secrets.optional }}
- {name: {{ . }}, valueFrom: {secretKeyRef: {name: {{ $.Values.existingSecret }}, key: {{ . }}, optional: true}}}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
