{{/* What all pods have: no root, nothing to write to but what is named, no key of the cluster. */}}

{{- define "genai.podBasics" -}}
automountServiceAccountToken: false
# Kubernetes would tell of a Service `gateway` as GATEWAY_PORT=tcp://…, which is a setting here.
enableServiceLinks: false
{{- with .Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "genai.containerBasics" -}}
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "genai.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "genai.volumes" -}}
- name: tmp
  # With room for the archives of two users who import them.
  {{- $archive := .Values.settings.MAX_IMPORT_BYTES | default 536870912 | int64 }}
  emptyDir: {sizeLimit: {{ add 64 (mul 2 (div $archive 1048576)) }}Mi}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Longer than a process takes to go down in order: DRAIN_GRACE, DRAIN_TIMEOUT and ten seconds. */}}
{{- define "genai.graceSeconds" -}}
{{- $grace := .Values.settings.DRAIN_GRACE | default 3 | float64 -}}
{{- $drain := .Values.settings.DRAIN_TIMEOUT | default 20 | float64 -}}
{{- add (ceil (addf $grace $drain)) 15 -}}
{{- end }}
